"""A PgBouncer in front of the test server."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.ports import free_port

_START_S = 10


@contextlib.contextmanager
def pgbouncer(url: str, mode: str, *, ignores: bool = True) -> Iterator[str]:
    """The URL of the same database through a PgBouncer that pools by ``mode``. ``ignores``: it passes over
    settings of the session that it does not know, and refuses the connection otherwise. Skips the test where
    there is none."""
    program = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        pytest.skip("needs PgBouncer: install pgbouncer")
    address, port = urlsplit(url), free_port()
    directory = Path(tempfile.mkdtemp(prefix="zbpool"))
    name = address.path.removeprefix("/")
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": mode,
        "server_reset_query": "DISCARD ALL",
    }
    if ignores:
        settings["ignore_startup_parameters"] = (
            "search_path,idle_in_transaction_session_timeout,enable_seqscan,jit"
        )
    target = f"{name} = host={address.hostname} port={address.port} dbname={name} user={address.username}"
    lines = ["[databases]", target, "[pgbouncer]", *(f"{key} = {value}" for key, value in settings.items())]
    (directory / "pgbouncer.ini").write_text("\n".join(lines))
    directory.chmod(0o755)
    user = "nobody" if os.geteuid() == 0 else None
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [program, str(directory / "pgbouncer.ini")], stdout=log, stderr=log, user=user
        )
    try:
        _wait(port, process)
        yield address._replace(netloc=f"{address.username}@127.0.0.1:{port}").geturl()
    finally:
        process.terminate()
        process.wait(_START_S)
        shutil.rmtree(directory)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until it takes connections."""
    while process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
    raise RuntimeError("PgBouncer ended")
