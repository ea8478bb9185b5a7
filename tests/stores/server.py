"""A PostgreSQL server for the tests: the one that ZOOMBOT_TEST_POSTGRESQL names, or one of their own."""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

VARIABLE = "ZOOMBOT_TEST_POSTGRESQL"
_START_S = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; ``url`` is that of a database of it, as a user who may create others."""

    url: str

    def database(self, name: str) -> str:
        """The URL of another database of the server."""
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()


class OwnServer:
    """A server in a directory of its own, on a Unix socket and a port of loopback."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        # Sockets have short paths.
        self.directory = Path(tempfile.mkdtemp(prefix="zbpg"))
        self._account = _account()
        self.data = self.directory / "data"
        self.port = _free_port()
        self.url = f"postgresql://zoombot@127.0.0.1:{self.port}/postgres"
        if self._account:
            os.chown(self.directory, self._account, -1)
        self._run("initdb", "-D", self.data, "-U", "zoombot", "--auth=trust", "--no-sync", "-E", "UTF8")

    def start(self, *options: str) -> None:
        """Start it and wait until it takes connections."""
        given = [f"-p {self.port}", f"-k {self.directory}", "-c listen_addresses=127.0.0.1", *options]
        self._run("pg_ctl", "-D", self.data, "-w", "-t", _START_S, "-l", self.directory / "log", "-o",
                  " ".join(given), "start")  # fmt: skip

    def put(self, name: str, content: bytes) -> None:
        """Write a file that only the server may read into its directory."""
        path = self.data / name
        path.write_bytes(content)
        path.chmod(0o600)
        if self._account:
            os.chown(path, self._account, -1)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: ``immediate`` as if its machine lost power, ``fast`` in order."""
        self._run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def remove(self) -> None:
        """Stop it if it runs, and delete everything."""
        if (self.data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        said = self.directory / f"{program}.out"
        # Not a pipe: the server keeps it open.
        with said.open("ab") as out:
            done = subprocess.run(  # noqa: S603
                command,
                user=self._account,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=2 * _START_S,
                check=False,
            )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {said.read_text()[-500:]}")


@functools.cache
def programs() -> Path | None:
    """Where the server's programs are: on the PATH, or where Debian puts them."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return debian[-1].parent if debian else None


@functools.cache
def server() -> Server:
    """The server of this test run. Skips the test where there is none."""
    if url := os.environ.get(VARIABLE):
        return Server(url)
    own = own_server()
    # Nothing of it has to last.
    own.start("-c fsync=off", "-c max_connections=300")
    atexit.register(own.remove)
    return Server(own.url)


def own_server() -> OwnServer:
    """A server that was not started yet. Skips the test where there is no PostgreSQL."""
    found = programs()
    if found is None:
        pytest.skip(f"needs PostgreSQL: name a server in {VARIABLE}, or install postgresql")
    if os.geteuid() == 0 and _account() is None:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")
    return OwnServer(found)


def _account() -> int | None:
    """As whom to run the server; None as ourselves. PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    return None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def execute(url: str, sql: str, *arguments: object) -> None:
    """Run a statement in a database."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql, *arguments)
    finally:
        await connection.close()


def new_database() -> str:
    """The URL of a new, empty database."""
    of = server()
    name = f"zoombot_{uuid.uuid4().hex}"
    in_thread(execute(of.url, f"CREATE DATABASE {name} TEMPLATE template0"))
    return of.database(name)


def in_thread(work: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine to its end in a loop of its own, also where one is running."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, work).result()
