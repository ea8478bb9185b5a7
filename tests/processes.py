"""The command as a process of its own, on a stage."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from bot.sandbox.stage import Stage
from bot.vault import new_key
from tests.config.test_loading import Sections, write
from tests.ports import free_port

ROOT = Path(__file__).parent.parent
STOP_S = 5.0
# How long an interpreter may take to come up on a busy machine, before a test gives up.
PATIENCE_S = 30.0


class Command:
    """One ``python -m bot …``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.err: list[str] = []
        self.out: list[str] = []

    async def says(self, words: str, *, out: bool = False) -> str:
        """The first line with these words."""
        pipe, lines = (self.process.stdout, self.out) if out else (self.process.stderr, self.err)
        assert pipe is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := (await pipe.readline()).decode():
                lines.append(line.rstrip("\n"))
                if words in line:
                    return lines[-1]
        raise AssertionError(f"it ended without a word of {words}: {self.err} {self.out}")

    async def ends(self, within_s: float = PATIENCE_S) -> int:
        """Its exit status."""
        async with asyncio.timeout(within_s):
            out, err = await self.process.communicate()
        self.out += out.decode().splitlines()
        self.err += (err or b"").decode().splitlines()
        assert self.process.returncode is not None
        return self.process.returncode

    async def stops(self, number: int = signal.SIGTERM) -> int:
        """Its exit status after a signal, which it must obey in five seconds."""
        self.process.send_signal(number)
        return await self.ends(STOP_S)


class Shell:
    """Runs commands in a folder, with nothing of ours in the environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Command] = []

    async def run(self, *arguments: str, **environ: str) -> Command:
        """Start ``python -m bot`` with these arguments."""
        return await self.start(arguments, environ=environ)

    async def start(
        self,
        arguments: Sequence[str] = ("run",),
        *,
        before: str = "",
        stderr: int = asyncio.subprocess.PIPE,
        patches: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> Command:
        """Start ``python -m bot`` with these arguments.

        ``before`` is a line for the shell before it, ``stderr`` where its log goes, and ``patches`` the code
        that it begins with.
        """
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ZOOMBOT_")}
        if patches:
            (self.folder / "sitecustomize.py").write_text(patches, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", f'{before}\nexec "$@"', "sh", sys.executable, "-m", "bot", *arguments),
            cwd=self.folder,
            env={
                **clean,
                "PYTHONPATH": f"{self.folder}:{ROOT}" if patches else str(ROOT),
                "PYTHONUNBUFFERED": "1",
                **(environ or {}),
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
        self.running.append(Command(process))
        return self.running[-1]

    async def result(self, *arguments: str, **environ: str) -> tuple[int, str, list[str]]:
        """Exit status, output, lines on stderr."""
        command = await self.run(*arguments, **environ)
        status = await command.ends()
        return status, "\n".join(command.out), command.err

    async def close(self) -> None:
        """End what still runs."""
        for command in self.running:
            if command.process.returncode is None:
                command.process.kill()
                await command.process.communicate()


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    await shell.close()


class Setting:
    """A stage, and the ``bot.toml`` for it."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.port, self.admin_port = free_port(), free_port()
        self.public_url = f"http://127.0.0.1:{self.port}"
        self.path = folder / "bot.toml"
        self.store = folder / "zoombot.db"

    @property
    def sections(self) -> Sections:
        """What is right for the stage."""
        client_id, client_secret, webhook_secret = self.stage.zoom_app
        return {
            "mattermost": {"url": self.stage.mattermost_url, "token": self.stage.mattermost_token},
            "zoom": {
                "client_id": client_id,
                "client_secret": client_secret,
                "webhook_secret": webhook_secret,
                "url": self.stage.zoom_url,
                "api_url": self.stage.zoom_api_url,
            },
            "web": {
                "public_url": self.public_url,
                "port": self.port,
                "admin_port": self.admin_port,
                "url_secret": "url-secret-of-some-length",
            },
            "store": {"url": "tinydb:zoombot.db", "encryption_keys": [new_key()]},
        }

    def write(self, **changes: dict[str, object]) -> None:
        """Write the configuration, with changes by section."""
        sections = self.sections
        write(self.path, {name: values | changes.get(name, {}) for name, values in sections.items()})


@pytest.fixture
async def setting(tmp_path: Path) -> AsyncIterator[Setting]:
    """A stage to run on, and a configuration that is right."""
    stage = Stage()
    setting = Setting(stage, tmp_path)
    async with stage.opened(setting.public_url, "url-secret-of-some-length", "command-token"):
        setting.write()
        yield setting
        assert stage.mattermost.unknown == []
        assert stage.zoom.unknown == []


async def ready(setting: Setting, shell: Shell) -> Command:
    """A bot that listens."""
    command = await shell.run("run")
    await command.says(" ready")
    await setting.stage.mattermost.wait_for_socket(timeout=PATIENCE_S)
    return command
