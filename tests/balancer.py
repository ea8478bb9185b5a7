"""A load balancer in front of several replicas: each connection goes to one that takes it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from random import Random


class Balancer:
    """Listens on ``port`` of loopback, and forwards to the ports of the replicas."""

    def __init__(self, port: int, replicas: Sequence[int], random: Random) -> None:
        self._port = port
        self._replicas = list(replicas)
        self._random = random
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self._port)

    async def close(self) -> None:
        """Close all connections."""
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if (there := await self._connect()) is not None:
                await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        finally:
            self._open.discard(task)
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for port in self._random.sample(self._replicas, len(self._replicas)):
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    return await asyncio.open_connection("127.0.0.1", port)
        return None


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while some := await reader.read(65536):
            writer.write(some)
            await writer.drain()
    writer.close()
