"""``zoombot run`` as a process of its own, to be killed."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

from bot.demo import Stage
from bot.vault import new_key
from tests.config.test_loading import Sections, write
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent

URL_SECRET = "chaos-url-secret"
COMMAND_TOKEN = "chaos-command-token"
# A stop takes at most 5 s; a machine under load a little longer.
STOP_S = 10.0


class Bot:
    """One configuration, and one process after the other that runs with it.

    ``program`` is what is run: a module and its arguments.
    """

    def __init__(
        self,
        folder: Path,
        program: tuple[str, ...] = ("bot", "run"),
        *,
        name: str = "zoombot",
        store: str = "",
        public_port: int = 0,
    ) -> None:
        self._program = program
        self.port, self.admin_port = free_port(), free_port()
        self.store = store or f"tinydb:{folder / 'zoombot.db'}"
        self.log = folder / f"{name}.log"
        self.key = new_key()
        self._public_port = public_port or self.port
        self._config = folder / f"{name}.toml"
        self._process: asyncio.subprocess.Process | None = None
        self.started_at = 0.0
        # Ends that nobody asked for, by exit status.
        self.surprises: list[int] = []

    @property
    def pid(self) -> int:
        """The process that runs; 0 if none does."""
        return self._process.pid if self._process is not None else 0

    @property
    def public_url(self) -> str:
        """Where the bot serves browsers, Zoom and Mattermost."""
        return f"http://127.0.0.1:{self._public_port}"

    @property
    def runs(self) -> bool:
        """Whether a process was started and not ended."""
        return self._process is not None

    async def open(self) -> None:
        """There is no load balancer."""

    async def close(self) -> None:
        """Kill what runs."""
        await self.kill()

    async def strike(self) -> None:
        """Kill it."""
        await self.kill()

    def configure(self, stage: Stage) -> None:
        """Write the configuration for this stage."""
        client_id, client_secret, webhook_secret = stage.zoom_app
        sections: Sections = {
            "mattermost": {
                "url": stage.mattermost_url,
                "token": stage.mattermost_token,
                "command_token": COMMAND_TOKEN,
            },
            "zoom": {
                "client_id": client_id,
                "client_secret": client_secret,
                "webhook_secret": webhook_secret,
                "url": stage.zoom_url,
                "api_url": stage.zoom_api_url,
            },
            "web": {
                "public_url": self.public_url,
                "port": self.port,
                "admin_port": self.admin_port,
                "url_secret": URL_SECRET,
            },
            "store": {"url": self.store, "encryption_keys": [self.key]},
            "meetings": {"duplicate_window": "0s"},
        }
        write(self._config, sections)

    async def start(self) -> None:
        """Start a process; it is not ready yet."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *self._program, "--config", str(self._config)),
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.started_at = time.monotonic()

    async def kill(self) -> None:
        """``SIGKILL``: no handler, no flush, no goodbye."""
        await self._end(signal.SIGKILL, expected=-signal.SIGKILL)

    async def stop(self) -> None:
        """``SIGTERM``, and the orderly stop that follows."""
        await self._end(signal.SIGTERM, expected=0)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _end(self, number: signal.Signals, *, expected: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_S):
                status = await process.wait()
        except TimeoutError:
            process.kill()
            status = await process.wait()
        if status != expected:
            self.surprises.append(status)

    def tracebacks(self) -> int:
        """How many the processes logged."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(
            "Traceback (most recent call last)"
        )
