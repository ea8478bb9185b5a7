"""What the files in ``deploy`` say of one another and of the bot."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import shutil
from collections.abc import AsyncIterator
from configparser import ConfigParser
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.config.model import KEYS_BY_SECTION
from bot.web.zoom import MAX_WEBHOOK
from tests.ports import free_port

REPLICAS = "replicas/compose.yaml", "replicas/nginx.conf"
DEPLOY = Path(__file__).parent.parent.parent / "deploy"
UNIT = DEPLOY / "zoombot.service"


def unit() -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT, encoding="utf-8")
    return parser


def test_every_command_of_the_unit_is_given_the_same_file_as_the_same_user() -> None:
    text, service = UNIT.read_text(encoding="utf-8"), unit()["Service"]
    assert set(re.findall(r"--config (\S+)", text)) == {"/etc/zoombot/bot.toml"}
    assert f"runuser -u {service['User']} " in text
    # What only the service's environment says, `check` and `keys rotate` do not know.
    assert "Environment" not in service
    assert "EnvironmentFile" not in service


def test_the_unit_s_store_is_where_it_may_write() -> None:
    (place,) = re.findall(r"--store-url tinydb:(\S+)", UNIT.read_text(encoding="utf-8"))
    assert Path(place).parent == Path("/var/lib", unit()["Service"]["StateDirectory"])


def test_the_container_s_store_is_in_its_volume() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    (place,) = re.findall(r"ZOOMBOT_STORE__URL=tinydb:(\S+)", text)
    (volume,) = re.findall(r"^VOLUME (\S+)$", text, re.MULTILINE)
    assert Path(place).parent == Path(volume)


def test_the_image_gets_all_that_it_copies_and_no_configuration() -> None:
    ignore = (DEPLOY.parent / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE
    )
    assert {f"!{name}" for line in copied for name in line.split()} == {
        line for line in ignore if line.startswith("!")
    }
    assert ignore[0] == "*"


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "replicas/compose.yaml", "kubernetes.yaml"])
def test_every_variable_is_one_that_the_bot_reads(name: str) -> None:
    variables = {key.variable for keys in KEYS_BY_SECTION.values() for key in keys.values()}
    for variable in re.findall(r"ZOOMBOT_\w+", text_of(name)):
        assert variable.removesuffix("_FILE") in variables


def test_the_image_can_use_a_database_in_place_of_its_own_file() -> None:
    assert "'/src[postgresql]'" in text_of("Dockerfile")
    for name in ("replicas/compose.yaml", "kubernetes.yaml"):
        lines = text_of(name)
        assert re.search(
            r'ZOOMBOT_STORE__URL:? *(value: )?""|name: ZOOMBOT_STORE__URL\n +value: ""', lines
        ), name
        assert "ZOOMBOT_STORE__URL_FILE" in lines, name


def test_the_balancer_knows_both_replicas_and_takes_what_the_bot_takes() -> None:
    compose, nginx = map(text_of, REPLICAS)
    assert re.findall(r"server ([\d.]+):8090", nginx) == re.findall(r"ipv4_address: ([\d.]+)", compose)
    (limit,) = re.findall(r"client_max_body_size (\d+)m;", nginx)
    assert int(limit) * 1024 * 1024 > MAX_WEBHOOK
    # Either would repeat the secret in the webhook's address.
    assert "access_log off;" in nginx
    assert re.findall(r"error_log \S+ (\w+);", nginx) == ["crit"]


@dataclass
class Backend:
    """A replica that only counts: it answers with a status, or not at all while it is frozen."""

    status: int = 200
    frozen: bool = False
    paths: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.paths.append(request.path_qs)
        if self.frozen:
            await asyncio.Event().wait()
        assert len(await request.read()) in (0, MAX_WEBHOOK)
        return web.Response(status=self.status)


@dataclass
class Balanced:
    """The balancer of ``deploy`` in front of two replicas."""

    url: str
    backends: list[Backend]
    said: Path


@pytest.fixture
async def balanced(tmp_path: Path) -> AsyncIterator[Balanced]:
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        pytest.skip("needs nginx: install nginx-light")
    async with contextlib.AsyncExitStack() as stack:
        backends, places = [Backend(), Backend()], []
        for backend in backends:
            app = web.Application(client_max_size=2 * MAX_WEBHOOK)
            app.router.add_route("*", "/{path:.*}", backend.answer)
            runner = web.AppRunner(app, shutdown_timeout=0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            places.append(f"127.0.0.1:{runner.addresses[0][1]}")
        port, text = free_port(), text_of("replicas/nginx.conf")
        for number, place in enumerate(places, start=1):
            text = text.replace(f"172.28.90.1{number}:8090", place)
        text = text.replace("listen 8090", f"listen 127.0.0.1:{port}").replace(
            "/dev/stderr", f"{tmp_path}/said"
        )
        kept = "".join(f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", *PASSING))
        (tmp_path / "nginx.conf").write_text(text.replace("http {", f"http {{ {kept}"))
        process = await asyncio.create_subprocess_exec(
            *(program, "-p", tmp_path, "-c", tmp_path / "nginx.conf"),
            *("-g", f"daemon off; master_process off; pid {tmp_path}/pid;"),
            stderr=asyncio.subprocess.PIPE,
        )
        stack.push_async_callback(process.wait)
        stack.callback(process.terminate)
        async with asyncio.timeout(10):
            while not await opens(port):
                assert process.returncode is None, await process.communicate()
        yield Balanced(f"http://127.0.0.1:{port}", backends, tmp_path / "said")


PASSING = ("proxy", "fastcgi", "uwsgi", "scgi")


async def opens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def test_no_webhook_is_lost_while_a_replica_is_replaced_or_frozen(balanced: Balanced) -> None:
    one, other = balanced.backends
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(3)) as http:

        async def send(path: str = "/plugins/zoom/webhook?secret=hunter2", size: int = MAX_WEBHOOK) -> int:
            async with http.post(balanced.url + path, data=io.BytesIO(b"x" * size)) as answer:
                return answer.status

        assert {await send() for _ in range(4)} == {200}
        assert len(one.paths) == len(other.paths) == 2
        one.status = 503
        assert {await send() for _ in range(4)} == {200}
        one.status, one.frozen = 200, True
        assert {await send() for _ in range(4)} == {200}
        # Who presses a button may press it again: it may have been acted on.
        other.status = 503
        assert await send("/plugins/zoom/action", 0) in (502, 503)
        assert {*one.paths, *other.paths} == {"/plugins/zoom/webhook?secret=hunter2", "/plugins/zoom/action"}
    assert "hunter2" not in balanced.said.read_text()
