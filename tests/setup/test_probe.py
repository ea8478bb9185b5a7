"""The health check of containers and service managers reads the same configuration as the bot."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bot.config import WebConfig
from bot.setup.probe import address, main, probe
from tests.config.test_loading import changed, write
from tests.conftest import World
from tests.ports import free_port

DEPLOY = Path(__file__).parent.parent.parent / "deploy"


def configured(folder: Path, port: int) -> list[str]:
    """The arguments for a bot.toml with this admin port."""
    return ["--config", str(write(folder / "bot.toml", changed("web.admin_port", port)))]


async def test_a_bot_on_a_port_of_its_own_is_found_by_its_file(world: World, tmp_path: Path) -> None:
    assert await asyncio.to_thread(main, configured(tmp_path, world.bot.admin_port)) == 0


async def test_a_bot_that_is_configured_by_the_environment_is_found(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = configured(tmp_path, free_port())
    monkeypatch.setenv("ZOOMBOT_WEB__ADMIN_PORT", str(world.bot.admin_port))
    # As in a container; the environment also has the last word over a proxy that others use.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert await asyncio.to_thread(main, arguments) == 0


def test_a_port_where_nobody_answers_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main(configured(tmp_path, port)) == 1
    assert f"nothing answers at 127.0.0.1:{port}" in capsys.readouterr().err
    assert main(configured(tmp_path, 0)) == 1
    assert "web.admin_port is 0" in capsys.readouterr().err


def test_a_configuration_that_is_wrong_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bot.toml").write_text("[web]\nadmin_port = true\n")
    assert main(["--config", str(tmp_path / "bot.toml")]) == 2
    assert "web.admin_port: " in capsys.readouterr().err


async def test_a_server_that_is_not_well_is_not_healthy(world: World) -> None:
    web = WebConfig(admin_port=world.bot.public_port)
    assert "answers with status 404" in await asyncio.to_thread(probe, web)


@pytest.mark.parametrize(
    ("host", "reached"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.1.2.3", "10.1.2.3")],  # noqa: S104
)
def test_a_bot_that_listens_everywhere_is_reached_on_this_machine(host: str, reached: str) -> None:
    assert address(WebConfig(admin_host=host, admin_port=1)) == (reached, 1)


def test_the_image_s_health_check_reads_the_file_that_its_command_reads() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    files = re.findall(r'"--config", "([^"]+)"', text)
    assert len(files) == 2
    assert len(set(files)) == 1
    assert '"-m", "bot.setup.probe"' in text
    assert "8091" not in text


def test_the_container_is_started_again_after_the_machine() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^ +restart: (.+)$", text, re.MULTILINE) == ["unless-stopped"]
