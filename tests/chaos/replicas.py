"""Several replicas as processes of their own, on one database, behind one load balancer."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from random import Random

from bot.demo import Stage
from tests.balancer import Balancer
from tests.chaos.process import Bot
from tests.ports import free_port
from tests.stores.server import OwnServer, own_server

# Longer than a replica may be silent before others take its work over.
FROZEN_S = (9.0, 60.0)


class Bots:
    """To be killed like a single :class:`Bot`, one replica at a time; the database restarts now and then."""

    def __init__(self, folder: Path, count: int, random: Random) -> None:
        self._random = random
        self.server: OwnServer = own_server()
        self.server.start("-c max_connections=200")
        port = free_port()
        self.public_url = f"http://127.0.0.1:{port}"
        self.bots = [
            Bot(folder, name=f"replica{number}", store=self.server.url, public_port=port)
            for number in range(count)
        ]
        for bot in self.bots:
            bot.key = self.bots[0].key
        self.store = self.server.url
        self.key = self.bots[0].key
        self._balancer = Balancer(port, [bot.port for bot in self.bots], random)
        self._frozen: dict[int, asyncio.Task[None]] = {}
        self.freezes = self.restarts = self.stops = 0

    @property
    def surprises(self) -> list[int]:
        """Ends that nobody asked for, by exit status."""
        return [status for bot in self.bots for status in bot.surprises]

    def configure(self, stage: Stage) -> None:
        """Write the configurations for this stage."""
        for bot in self.bots:
            bot.configure(stage)

    async def open(self) -> None:
        """Let the load balancer listen."""
        await self._balancer.open()

    async def start(self) -> None:
        """Start the replicas that do not run."""
        for bot in self.bots:
            if not bot.runs:
                await bot.start()

    async def strike(self) -> None:
        """Kill one or both; or freeze one for a while, stop one in order, or restart the database."""
        choice = self._random.random()
        victims = [number for number in range(len(self.bots)) if number not in self._frozen]
        victim = self._random.choice(victims) if victims else 0
        if choice < 0.08 and not self._frozen:
            self.freezes += 1
            self._frozen[victim] = asyncio.create_task(self._freeze(victim))
        elif choice < 0.14:
            self.restarts += 1
            await asyncio.to_thread(self.server.stop, self._random.choice(("immediate", "fast")))
            await asyncio.sleep(self._random.uniform(0, 1.5))
            await asyncio.to_thread(self.server.start, "-c max_connections=200")
        elif choice < 0.24:
            self.stops += 1
            await self.bots[victim].stop()
        elif choice < 0.34:
            await self.kill()
        else:
            await self.bots[victim].kill()
            # Time for the other to take over what this one did, or not quite.
            await asyncio.sleep(self._random.uniform(0, 6))

    async def _freeze(self, number: int) -> None:
        """Stop a process as if its machine slept, and wake it later."""
        bot = self.bots[number]
        try:
            bot.send(signal.SIGSTOP)
            await asyncio.sleep(self._random.choice(FROZEN_S))
        finally:
            bot.send(signal.SIGCONT)
            del self._frozen[number]

    async def kill(self) -> None:
        """Kill all, as :meth:`Bot.kill` does."""
        await self.wake()
        await asyncio.gather(*(bot.kill() for bot in self.bots))

    async def stop(self) -> None:
        """Stop all in order."""
        await self.wake()
        await asyncio.gather(*(bot.stop() for bot in self.bots))

    async def wake(self) -> None:
        """Wake whoever is frozen."""
        tasks = list(self._frozen.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Kill everything."""
        await self.kill()
        await self._balancer.close()

    def tracebacks(self) -> int:
        """How many the processes logged."""
        return sum(bot.tracebacks() for bot in self.bots)
