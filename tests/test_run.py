"""The command as a process of its own: how it starts, what it says, how it ends."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sqlite3
import ssl
import stat
from contextlib import closing
from dataclasses import replace

import aiohttp
import msgspec
import pytest
import trustme

from bot.clock import now_ms
from bot.config import load
from bot.domain.records import Item, ItemState, Pending, Recent
from bot.domain.upkeep import SCHEMA, SCHEMA_VERSION, Schema
from bot.errors import StartError
from bot.runtime.app import opened
from bot.runtime.timings import Timings
from bot.sandbox.faults import Fault
from bot.sandbox.mattermost import Mattermost, Post
from bot.stores import Put
from bot.stores.opening import open_store
from bot.vault import Vault, new_key
from tests.conftest import MakeWorld
from tests.features.test_connect import LINK, Page
from tests.ports import free_port
from tests.processes import PATIENCE_S, Setting, Shell, ready

# How it goes on and how it ends


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_it_in_order(setting: Setting, shell: Shell, number: int) -> None:
    command = await ready(setting, shell)
    assert await command.stops(number) == 0
    assert not any("Traceback" in line for line in command.err)
    assert setting.stage.mattermost.sockets == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["click", "bot.config", "bot.runtime.app"])
async def test_a_signal_while_it_still_imports_stops_it(
    setting: Setting, shell: Shell, module: str, number: int
) -> None:
    command = await shell.run("run", PYTHONPROFILEIMPORTTIME="1")
    await command.says(f" {module}\n")
    assert await command.stops(number) == 0
    assert not any("Traceback" in line or "Aborted" in line for line in command.err)


async def test_a_signal_before_it_is_ready_stops_it_too(setting: Setting, shell: Shell) -> None:
    await setting.stage.mattermost.stop()
    command = await shell.run("run")
    await command.says("trying again")
    assert await command.stops() == 0
    await setting.stage.mattermost.start()


def answers(setting: Setting, asked: Post) -> list[Post]:
    """What the bot said to a post."""
    posts = setting.stage.mattermost.bot_posts()
    return [post for post in posts if post.props.get("zoombot_trigger") == asked.id]


async def asks(setting: Setting, message: str, channel: str = "") -> Post:
    """Carol writes, in her direct channel unless another is named."""
    server = setting.stage.mattermost
    return await server.post("carol", channel or server.direct("carol", "zoom"), message)


async def consents(setting: Setting, http: aiohttp.ClientSession) -> str:
    """Carol asks for a link, and goes as far as Zoom's consent; returns where Zoom sends her then."""
    asked = await asks(setting, "connect")
    await setting.stage.mattermost.wait_for(lambda: answers(setting, asked))
    found = LINK.search(answers(setting, asked)[0].message)
    assert found
    async with http.get(found[1], allow_redirects=False) as response:
        return await setting.stage.zoom.consent(response.headers["Location"], "carol@demo.example")


async def reaches(fault: Fault) -> None:
    """Wait until a request meets the fault."""
    async with asyncio.timeout(10):
        while not fault.hits:
            await asyncio.sleep(0)


async def test_a_request_in_flight_is_answered_when_it_stops(setting: Setting, shell: Shell) -> None:
    command = await ready(setting, shell)
    async with aiohttp.ClientSession() as http:
        back = await consents(setting, http)
        fault = setting.stage.zoom.faults.add(path="/oauth/token", delay=0.7)
        asking = asyncio.create_task(http.get(back))
        await reaches(fault)
        assert await command.stops() == 0
        async with await asking as response:
            assert response.status == 200
            assert "Link this Zoom account to @carol?" in await response.text()


async def test_a_meeting_that_is_being_made_when_it_stops_is_posted_once(
    setting: Setting, shell: Shell
) -> None:
    command = await ready(setting, shell)
    server, zoom = setting.stage.mattermost, setting.stage.zoom
    async with aiohttp.ClientSession() as http:
        async with http.get(await consents(setting, http)) as response:
            page = Page(response.status, response.headers, await response.text())
        async with http.post(setting.public_url + page.action, data=page.fields) as response:
            assert response.status == 200
    # Zoom makes it, and answers after the bot has gone.
    fault = zoom.faults.add(method="POST", path="/meetings$", delay=8.0, after=True)
    asked = await asks(setting, "@zoom standup", "dev")
    await reaches(fault)
    assert await command.stops() == 0
    assert answers(setting, asked) == []
    await ready(setting, shell)
    await server.wait_for(lambda: answers(setting, asked), timeout=PATIENCE_S)
    (post,) = answers(setting, asked)
    assert post.props["meeting_id"] in zoom.meetings
    assert len(zoom.meetings) == 1


async def test_a_killed_one_leaves_a_store_that_the_next_opens(setting: Setting, shell: Shell) -> None:
    command = await ready(setting, shell)
    assert stat.S_IMODE(setting.store.stat().st_mode) == 0o600
    command.process.kill()
    assert await command.ends() == -signal.SIGKILL
    assert await (await ready(setting, shell)).stops() == 0


async def test_the_operator_s_port_answers(setting: Setting, shell: Shell) -> None:
    await ready(setting, shell)
    async with aiohttp.ClientSession() as http:
        for path in ("healthz", "readyz", "metrics"):
            async with http.get(f"http://127.0.0.1:{setting.admin_port}/{path}") as response:
                assert response.status == 200


# Why it does not go on: one line, status 1


async def fails(shell: Shell, *words: str) -> None:
    status, out, err = await shell.result("run")
    assert (status, out) == (1, "")
    assert "Traceback" not in "\n".join(err)
    for word in words:
        assert word in err[-1]
    # Beside it there is at most the log.
    assert [line for line in err[:-1] if not re.match(r"\d{4}-\d\d-\d\dT", line)] == []


async def test_a_wrong_token_ends_it_at_once(setting: Setting, shell: Shell) -> None:
    setting.write(mattermost={"token": "wrong-token-of-the-bot"})
    await fails(shell, "mattermost.token")
    assert not any("trying again" in line for line in shell.running[0].err)
    assert "wrong-token-of-the-bot" not in str(shell.running[0].err)


async def test_a_port_that_is_taken_ends_it(setting: Setting, shell: Shell) -> None:
    for key in ("port", "admin_port"):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = other.getsockname()[1]
            setting.write(web={key: taken})
            await fails(shell, f"web.{key}", str(taken), "in use")


async def test_a_store_of_another_running_process_ends_it(setting: Setting, shell: Shell) -> None:
    await ready(setting, shell)
    setting.write(web={"port": free_port(), "admin_port": free_port()})
    await fails(shell, "zoombot.db", "process")


async def test_a_store_that_is_held_by_this_process_ends_it(setting: Setting, shell: Shell) -> None:
    store = await open_store(f"tinydb:{setting.store}")
    try:
        await fails(shell, "zoombot.db")
    finally:
        await store.close()


async def test_a_damaged_store_ends_it_and_is_left_as_it_is(setting: Setting, shell: Shell) -> None:
    setting.store.write_bytes(b"this is no database" * 100)
    await fails(shell, "zoombot.db")
    assert setting.store.read_bytes() == b"this is no database" * 100


async def test_a_store_of_a_later_version_ends_it_and_is_left_as_it_is(
    setting: Setting, shell: Shell
) -> None:
    store = await open_store(f"tinydb:{setting.store}")
    await store.commit(Put(Schema(id=SCHEMA, version=SCHEMA_VERSION + 1)))
    await store.close()
    before = setting.store.read_bytes()
    await fails(shell, "later zoombot: install that version again")
    for command in (["keys", "rotate"], ["store", "list"], ["store", "forget", "links/x"]):
        status, out, err = await shell.result(*command)
        assert (status, out, len(err)) == (1, "", 1)
        assert "later zoombot" in err[0]
    status, out, _ = await shell.result("check")
    assert status == 1
    assert re.search("^wrong .*later zoombot", out, re.MULTILINE)
    assert setting.store.read_bytes() == before


async def test_what_is_set_aside_is_listed_and_dropped(setting: Setting, shell: Shell) -> None:
    status, out, err = await shell.result("store", "list")
    assert (status, out, len(err)) == (1, "", 1)
    assert "there is no store" in err[0]
    key = new_key()
    setting.write(store={"encryption_keys": [key]})
    store = await open_store(f"tinydb:{setting.store}")
    item = Item(id="post:1", kind="request", queue="x", asked_at=now_ms(), received_at=now_ms())
    item = msgspec.structs.replace(item, state=ItemState.DEAD, error="ValueError", sealed="shut as well")
    pending = Pending(id="a:b", user_id="a", sealed=Vault([new_key()]).seal("a:b", "x"), asked_at=now_ms())
    good = Pending(id="a:c", user_id="a", sealed=Vault([key]).seal("a:c", "x"), asked_at=now_ms())
    await store.commit(
        Put(item), Put(pending), Put(good), Put(Recent(id="c d", meeting="m", created_at=now_ms()))
    )
    await store.close()
    with closing(sqlite3.connect(setting.store)) as connection, connection:
        connection.execute("UPDATE documents SET body = 'hunter2' WHERE id = 'c d'")

    running = await ready(setting, shell)
    status, out, err = await shell.result("store", "list")
    assert (status, err) == (0, [])
    assert out.splitlines() == [
        "recent/c%20d  set aside: its checksum is wrong",
        "inbox/post:1  given up: ValueError",
        "pending/a:b  does not open: no key of store.encryption_keys opens it, or it is damaged",
    ]
    status, _, err = await shell.result("store", "forget", "pending/a:b")
    assert (status, len(err)) == (1, 1)
    assert "stop that zoombot first" in err[0]
    await running.stops()
    # By its name, and by its own id.
    for id, name in (("recent/c%20d", "recent/c%20d"), ("post:1", "inbox/post:1"), ("a:b", "pending/a:b")):
        assert await shell.result("store", "forget", id) == (0, f"Dropped {name}.", [])
        status, out, err = await shell.result("store", "forget", id)
        assert (status, out) == (1, "")
        assert "is not in the list" in err[0]
    # What can be read is not dropped.
    assert (await shell.result("store", "forget", "pending/a:c"))[0] == 1
    assert await shell.result("store", "list") == (0, "Nothing is set aside, and everything opens.", [])
    store = await open_store(f"tinydb:{setting.store}")
    assert await store.all(Pending) == [good]
    await store.close()


@pytest.fixture
def unknown_ca() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_a_certificate_of_an_unknown_authority_ends_it_at_once(
    setting: Setting, shell: Shell, unknown_ca: ssl.SSLContext
) -> None:
    async with Mattermost(ssl_context=unknown_ca) as server:
        setting.write(mattermost={"url": server.url, "token": server.bot_token})
        await fails(shell, "mattermost.url", "certificate")
        assert not any("trying again" in line for line in shell.running[0].err)


async def test_an_unreachable_mattermost_ends_it_when_patience_does(make_world: MakeWorld) -> None:
    world = await make_world(start=False)
    await world.mattermost.stop()
    with pytest.raises(StartError, match=r"mattermost\.url"):
        async with opened(world.config, timings=Timings(start_patience_s=0.2)):
            pass


async def test_a_mattermost_that_comes_late_is_waited_for(make_world: MakeWorld) -> None:
    world = await make_world(start=False)
    world.mattermost.faults.add(503, path="/users/me", times=1)
    await world.start()


async def test_a_second_bot_on_one_store_is_refused(make_world: MakeWorld) -> None:
    world = await make_world()
    config = replace(world.config, web=replace(world.config.web, port=0))
    with pytest.raises(Exception, match=r"zoombot\.db"):
        async with opened(config):
            pass
    # The first is none the worse for it.
    await world.ask("bob", "dev", "@zoom help")


# A wrong configuration: all faults at once, status 2


async def test_every_fault_of_the_configuration_is_told_at_once(setting: Setting, shell: Shell) -> None:
    setting.write(
        mattermost={"token": "", "url": "ftp://x", "colour": "blue"},
        zoom={"client_id": "", "app": "nonsense"},
        web={"port": 99999},
        store={"encryption_keys": ["short"]},
    )
    status, out, err = await shell.result("run")
    assert (status, out) == (2, "")
    keys = {line.partition(":")[0] for line in err}
    expected = {"mattermost.token", "mattermost.url", "mattermost.colour", "zoom.client_id", "zoom.app"}
    assert expected | {"web.port", "store.encryption_keys"} <= keys


async def test_a_file_that_is_not_there_is_named(shell: Shell) -> None:
    status, _, err = await shell.result("run", "--config", "elsewhere.toml")
    assert status == 2
    assert "elsewhere.toml" in "\n".join(err)


async def test_a_file_that_is_no_toml_is_told_with_its_line(shell: Shell) -> None:
    (shell.folder / "bot.toml").write_text("[mattermost]\nurl = \n", encoding="utf-8")
    status, _, err = await shell.result("run")
    assert status == 2
    assert "line 2" in "\n".join(err)


async def test_the_environment_is_enough(setting: Setting, shell: Shell) -> None:
    setting.path.unlink()
    environ = {
        f"ZOOMBOT_{section}__{key}".upper(): ",".join(value) if isinstance(value, list) else str(value)
        for section, values in setting.sections.items()
        for key, value in values.items()
    }
    command = await shell.run("run", **environ, ZOOMBOT_LOG__FORMAT="json")
    assert json.loads(await command.says('"ready"'))["port"] == setting.port
    assert await command.stops() == 0


async def test_the_environment_goes_before_the_file(setting: Setting, shell: Shell) -> None:
    command = await shell.run("run", ZOOMBOT_MATTERMOST__TOKEN="wrong")
    assert await command.ends() == 1
    assert "mattermost.token" in command.err[-1]


# The other commands


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["run", "--help"], ["demo", "--help"]])
async def test_help_and_version_are_there(shell: Shell, arguments: list[str]) -> None:
    status, out, err = await shell.result(*arguments)
    assert (status, err) == (0, [])
    assert "zoombot" in out or "Usage" in out


async def test_an_unknown_command_is_wrong_usage(shell: Shell) -> None:
    assert (await shell.result("dance"))[0] == 2


async def test_init_works_unattended_and_check_says_what_is_right(setting: Setting, shell: Shell) -> None:
    stage, zoom = setting.stage, setting.stage.zoom
    setting.path.unlink()
    options = {
        "--mattermost-url": stage.mattermost_url,
        "--mattermost-token": stage.mattermost_token,
        "--public-url": setting.public_url,
        "--zoom-client-id": zoom.client_id,
        "--zoom-client-secret": zoom.client_secret,
        "--zoom-webhook-secret": zoom.webhook_secret,
        "--zoom-url": stage.zoom_url,
        "--zoom-api-url": stage.zoom_api_url,
        "--port": str(setting.port),
        "--admin-port": str(setting.admin_port),
    }
    given = [word for option in options.items() for word in option]
    status, out, err = await shell.result("init", "--yes", *given)
    assert (status, err) == (0, [])
    assert f"{setting.public_url}/oauth2/complete" in out
    assert f"{setting.public_url}/webhook?secret=" in out
    assert stat.S_IMODE(setting.path.stat().st_mode) == 0o600
    # It is not overwritten unasked.
    before = setting.path.read_bytes()
    assert (await shell.result("init", "--yes", *given))[0] == 1
    assert setting.path.read_bytes() == before
    # The bot runs with it, and check works beside it.
    bot = await ready(setting, shell)
    status, out, _ = await shell.result("check")
    assert status == 0, out
    for secret in (stage.mattermost_token, zoom.client_secret, zoom.webhook_secret):
        assert secret not in out
    assert await bot.stops() == 0


async def test_init_takes_its_answers_from_the_environment_too(setting: Setting, shell: Shell) -> None:
    setting.path.unlink()
    given = {
        "ZOOMBOT_MATTERMOST__URL": "https://chat.example.com",
        "ZOOMBOT_MATTERMOST__TOKEN": "bottoken",
        "ZOOMBOT_WEB__PUBLIC_URL": "https://chat.example.com/plugins/zoom",
        "ZOOMBOT_ZOOM__CLIENT_ID": "id",
        "ZOOMBOT_ZOOM__CLIENT_SECRET": "clientsecret",
        "ZOOMBOT_ZOOM__WEBHOOK_SECRET": "hooksecret",
        "ZOOMBOT_STORE__ENCRYPTION_KEYS": f"{new_key()},{new_key()}",
    }
    status, out, err = await shell.result("init", "--yes", "--config", "my bot.toml", **given)
    assert (status, err) == (0, [])
    for command in ("check", "run"):
        assert f"{command} --config 'my bot.toml'" in out
    config = load(shell.folder / "my bot.toml", {})
    assert config.zoom.client_secret == "clientsecret"
    assert config.store.encryption_keys == tuple(given["ZOOMBOT_STORE__ENCRYPTION_KEYS"].split(","))


async def test_init_asks_nothing_where_it_may_not_write(shell: Shell) -> None:
    (shell.folder / "bot.toml").write_text("# mine\n", encoding="utf-8")
    for arguments in (["init"], ["init", "--config", "none/bot.toml"]):
        status, out, err = await shell.result(*arguments)
        assert (status, out) == (1, "")
        assert len(err) == 1
        assert "bot.toml" in err[0]


async def test_init_without_what_it_needs_tells_all_of_it(shell: Shell) -> None:
    status, _, err = await shell.result("init", "--yes")
    assert status == 2
    assert {"mattermost.url", "mattermost.token", "zoom.client_id"} <= {
        line.partition(":")[0] for line in err
    }
    assert list(shell.folder.iterdir()) == []


async def test_check_says_what_is_wrong_and_ends_with_one(setting: Setting, shell: Shell) -> None:
    setting.write(mattermost={"token": "wrong"}, zoom={"client_secret": "wrong"})
    status, out, err = await shell.result("check")
    assert status == 1
    assert "mattermost.token" in out
    assert "zoom.client" in out
    assert "Traceback" not in out + "\n".join(err)


async def test_a_new_key_is_one_line(shell: Shell) -> None:
    status, out, err = await shell.result("keys", "new")
    assert (status, err) == (0, [])
    assert re.fullmatch(r"[\w=-]{44}", out)


# The demo


async def test_the_demo_prints_its_address_and_serves_the_api(shell: Shell) -> None:
    command = await shell.run("demo", "--port", "0", "--no-browser")
    line = await command.says("http://", out=True)
    found = re.fullmatch(r"http://127\.0\.0\.1:\d+/", line)
    assert found, line
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{line}api/v4/system/ping") as response:
            assert response.status == 200
            assert (await response.json())["status"] == "OK"
        async with http.get(line) as response:
            assert response.status == 200
            assert "text/html" in response.headers["Content-Type"]
    await command.says("Ctrl-C", out=True)
    shown = "\n".join(command.out)
    for name in ("alice", "bob", "carol", "demo", "town-square", "dev", "ops"):
        assert name in shown
    assert await command.stops(signal.SIGINT) == 0
    assert command.err == []


async def test_a_demo_whose_port_is_taken_says_so(shell: Shell) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, _, err = await shell.result("demo", "--no-browser", "--port", str(port))
    assert status == 1
    assert len(err) == 1
    assert "--port 0" in err[0]
