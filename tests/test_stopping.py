"""A stop takes at most five seconds, whatever hangs: a resolver, a disk, the reader of the log."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Iterator

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.mattermost import Post
from tests.features.test_connect import LINK
from tests.processes import PATIENCE_S, ROOT, STOP_S, Command, Setting, Shell, ready

# Nobody can make the system's resolver hang without changing the system: this is what it looks like.
HANGING_RESOLVER = """
import socket, sys, threading
ask = socket.getaddrinfo
def hang(host, *more, **named):
    if host in ("localhost", b"localhost"):
        print("a name is asked for", file=sys.stderr, flush=True)
        threading.Event().wait()
    return ask(host, *more, **named)
socket.getaddrinfo = hang
"""
HANGING_LOCK = """
import fcntl, sys, threading
def hang(*arguments):
    print("the lock is asked for", file=sys.stderr, flush=True)
    threading.Event().wait()
fcntl.flock = hang
"""


def by_name(url: str) -> str:
    """The same address by its name, which has to be resolved."""
    return url.replace("127.0.0.1", "localhost")


# A resolver that hangs


async def test_a_name_that_is_never_resolved_at_start(setting: Setting, shell: Shell) -> None:
    setting.write(mattermost={"url": by_name(setting.stage.mattermost_url)})
    command = await shell.start(patches=HANGING_RESOLVER)
    await command.says("a name is asked for")
    assert await command.stops() == 0


async def test_a_name_that_is_never_resolved_while_a_token_is_fetched(setting: Setting, shell: Shell) -> None:
    """Here the threads of requests-oauthlib hang, and then those of the event loop."""
    url = by_name(setting.stage.zoom_url)
    setting.write(zoom={"url": url, "api_url": by_name(setting.stage.zoom_api_url)})
    command = await shell.start(patches=HANGING_RESOLVER)
    await command.says(" ready")
    await setting.stage.mattermost.wait_for_socket(timeout=PATIENCE_S)
    async with aiohttp.ClientSession() as http:
        back = await consented(setting, http)
        asking = asyncio.create_task(http.get(back))
        await command.says("a name is asked for")
        assert await command.stops() == 0
        await asyncio.gather(asking, return_exceptions=True)


async def test_a_name_that_is_never_resolved_while_a_meeting_is_made(setting: Setting, shell: Shell) -> None:
    # Only the API is asked for by its name: linking works.
    setting.write(zoom={"api_url": by_name(setting.stage.zoom_api_url)})
    command = await shell.start(patches=HANGING_RESOLVER)
    await command.says(" ready")
    await setting.stage.mattermost.wait_for_socket(timeout=PATIENCE_S)
    async with aiohttp.ClientSession() as http:
        asking = asyncio.create_task(http.get(await consented(setting, http)))
        await command.says("a name is asked for")
        assert await command.stops() == 0
        await asyncio.gather(asking, return_exceptions=True)


async def consented(setting: Setting, http: aiohttp.ClientSession) -> str:
    """Carol asks for a link, and consents at Zoom; returns where Zoom sends her then."""
    server = setting.stage.mattermost
    asked = await server.post("carol", server.direct("carol", "zoom"), "connect")

    def answers() -> list[Post]:
        return [post for post in server.bot_posts() if post.props.get("zoombot_trigger") == asked.id]

    (answer,) = await server.wait_for(answers, timeout=PATIENCE_S)
    found = LINK.search(answer.message)
    assert found
    async with http.get(found[1], allow_redirects=False) as response:
        location = response.headers["Location"].replace("localhost", "127.0.0.1")
    return await setting.stage.zoom.consent(location, "carol@demo.example")


# Something else that hangs


async def test_a_file_system_that_does_not_answer_at_start(setting: Setting, shell: Shell) -> None:
    command = await shell.start(patches=HANGING_LOCK)
    await command.says("the lock is asked for")
    assert await command.stops() == 0


async def test_a_second_signal_changes_nothing(setting: Setting, shell: Shell) -> None:
    command = await ready(setting, shell)
    # It has something to wait for.
    fault = setting.stage.zoom.faults.add(path="/oauth/token", delay=60)
    async with aiohttp.ClientSession() as http:
        asking = asyncio.create_task(http.get(await consented(setting, http)))
        async with asyncio.timeout(10):
            while not fault.hits:
                await asyncio.sleep(0)
        command.process.send_signal(signal.SIGTERM)
        await command.says(" stopping")
        command.process.send_signal(signal.SIGINT)
        assert await command.stops() == 0
        await asyncio.gather(asking, return_exceptions=True)
    assert not any("Traceback" in line or "ignored" in line for line in command.err)


async def test_a_request_whose_body_does_not_come(setting: Setting, shell: Shell) -> None:
    command = await ready(setting, shell)
    reader, writer = await asyncio.open_connection("127.0.0.1", setting.port)
    writer.write(b"POST /command HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n")
    writer.write(b"Content-Type: application/x-www-form-urlencoded\r\n\r\nx")
    assert await command.stops() == 0
    await reader.read()
    writer.close()


BLOCKED = """
import asyncio, threading, time
from bot.runtime.stopping import stopping_on_signals
async def work():
    stop = asyncio.Event()
    with stopping_on_signals(stop, 0.2):
        print("ready", flush=True)
        {hangs}
asyncio.run(work())
"""


@pytest.mark.parametrize(
    "hangs",
    [
        "await stop.wait(); threading.Event().wait()",
        "await stop.wait(); threading.Thread(target=time.sleep, args=(60,)).start()",
        "time.sleep(60)",
    ],
    ids=["the loop, while it stops", "a thread, when it has stopped", "the loop, before"],
)
async def test_what_keeps_no_limit_is_left_behind(shell: Shell, hangs: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", BLOCKED.format(hangs=hangs)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    command = Command(process)
    shell.running.append(command)
    await command.says("ready", out=True)
    assert await command.stops() == 0
    assert "left behind" in command.err[-1]


# A log that nobody reads


class Full:
    """A pipe that is full: its reader reads nothing."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self.writer, False)
        os.write(self.writer, b"." * 4096)
        os.set_blocking(self.writer, True)

    def read(self) -> str:
        """What is in it, once its writer has ended."""
        text = b""
        while piece := os.read(self.reader, 65536):
            text += piece
        return text.decode()

    def leave(self) -> None:
        """The reader goes away."""
        os.close(self.reader)
        self.reader = -1


@pytest.fixture
def full() -> Iterator[Full]:
    full = Full()
    yield full
    for end in (full.reader, full.writer):
        if end >= 0:
            os.close(end)


async def unread(setting: Setting, shell: Shell, full: Full) -> Command:
    """A bot whose log nobody reads."""
    command = await shell.start(stderr=full.writer)
    await setting.stage.mattermost.wait_for_socket(timeout=PATIENCE_S)
    return command


async def strangers(setting: Setting, number: int) -> None:
    """As many webhooks with a wrong secret."""
    url = f"{setting.public_url}/webhook?secret=wrong"
    async with aiohttp.ClientSession() as http:
        for _ in range(number):
            async with http.post(url, json={}) as response:
                assert response.status == 403


async def test_a_log_that_nobody_reads_stops_nothing(setting: Setting, shell: Shell, full: Full) -> None:
    command = await unread(setting, shell, full)
    await strangers(setting, 605)
    server = setting.stage.mattermost
    asked = await server.post("carol", server.direct("carol", "zoom"), "help")
    await server.wait_for(
        lambda: [post for post in server.bot_posts() if post.props.get("zoombot_trigger") == asked.id]
    )
    admin = URL(f"http://127.0.0.1:{setting.admin_port}")
    async with aiohttp.ClientSession() as http:
        async with http.get(admin / "healthz") as response:
            assert response.status == 200
        async with http.get(admin / "metrics") as response:
            assert "zoombot_log_lines_dropped_total 0.0" in await response.text()
    command.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(STOP_S):
        assert await command.process.wait() == 0


async def test_a_log_whose_reader_comes_back_has_it_all(setting: Setting, shell: Shell, full: Full) -> None:
    command = await unread(setting, shell, full)
    await strangers(setting, 605)
    command.process.send_signal(signal.SIGTERM)
    os.close(full.writer)
    full.writer = -1
    said = await asyncio.to_thread(full.read)
    assert await command.process.wait() == 0
    lines = [line for line in said.splitlines() if "web.url_secret" in line]
    assert len(lines) == 2
    assert "604 more times" in lines[1]


async def test_a_reader_that_goes_away_changes_no_exit_status(
    setting: Setting, shell: Shell, full: Full
) -> None:
    command = await unread(setting, shell, full)
    full.leave()
    await strangers(setting, 5)
    assert await command.stops() == 0


@pytest.mark.parametrize(
    ("faults", "status"),
    [({"mattermost": {"token": "wrong"}}, 1), ({"web": {"port": "none"}}, 2)],
    ids=["a wrong token", "a wrong configuration"],
)
@pytest.mark.parametrize("gone", [True, False], ids=["gone", "stuck"])
async def test_the_exit_status_is_told_though_nobody_reads_why(
    setting: Setting, shell: Shell, full: Full, faults: dict[str, dict[str, object]], status: int, gone: bool
) -> None:
    setting.write(**faults)
    if gone:
        full.leave()
    command = await shell.start(stderr=full.writer)
    assert await command.ends() == status


async def test_a_process_without_a_log_runs(setting: Setting, shell: Shell) -> None:
    command = await shell.start(before="exec 2>&-", stderr=asyncio.subprocess.DEVNULL)
    await setting.stage.mattermost.wait_for_socket(timeout=PATIENCE_S)
    assert await command.stops() == 0


async def test_a_demo_whose_reader_goes_away_is_played_on(shell: Shell) -> None:
    command = await shell.run("demo", "--port", "0", "--no-browser")
    line = await command.says("http://", out=True)
    # As with `zoombot demo | head -3`: the rest of its words finds no reader.
    stdout = command.process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
    stdout.close()
    async with aiohttp.ClientSession() as http, http.get(f"{line}api/v4/system/ping") as response:
        assert response.status == 200
    assert await command.stops(signal.SIGINT) == 0
