from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from bot.clock import now_ms
from bot.config import Config, StoreConfig
from bot.domain.identities import NamedAdmin
from bot.domain.records import Item, ItemState, LinkedAccount, Meeting, Pending
from bot.sandbox.mattermost import Mattermost
from bot.sandbox.zoom import Zoom
from bot.setup.check import Finding, Level, check, is_wrong
from bot.setup.looking import Opens, look
from bot.setup.mattermost import check_mattermost
from bot.setup.store import check_store
from bot.setup.web import check_web
from bot.setup.zoom import check_zoom
from bot.stores import Put
from bot.stores.opening import open_store
from bot.vault import Vault, new_key
from bot.zoom.webhooks import encrypt_token, is_signed

SECRETS = ("url-secret-of-some-length",)


def of(findings: list[Finding], level: Level) -> dict[str, str]:
    return {finding.subject: finding.text for finding in findings if finding.level is level}


def changed(config: Config, section: str, **values: Any) -> Config:
    return replace(config, **{section: replace(getattr(config, section), **values)})


async def test_a_right_configuration_is_all_right_while_the_bot_does_not_run(config: Config) -> None:
    findings = await check(config)
    assert of(findings, Level.WRONG) == {}
    assert not is_wrong(findings)
    assert any("the bot does not run here" in finding.text for finding in findings)
    right = of(findings, Level.OK)
    for subject in ("mattermost.url", "mattermost.token", "mattermost channels", "mattermost WebSocket"):
        assert subject in right
    for subject in ("zoom.client_id, client_secret", "zoom.api_url", "clock", "store.url"):
        assert subject in right


async def test_no_line_repeats_a_secret(config: Config) -> None:
    for wrong in (config, changed(config, "zoom", client_secret="wrongsecret")):
        shown = "\n".join(map(str, await check(wrong)))
        for secret in (
            config.mattermost.token,
            config.web.url_secret,
            config.zoom.webhook_secret,
            wrong.zoom.client_secret,
            *config.store.encryption_keys,
        ):
            assert secret not in shown


async def test_a_finding_is_one_line_that_begins_with_its_level(config: Config) -> None:
    for finding in await check(config):
        assert str(finding).split()[0] in ("ok", "note", "wrong")
        assert "\n" not in str(finding)


async def test_nothing_is_said_twice(config: Config, port: int, tmp_path: Path) -> None:
    """Neither the key nor a question; and nobody speaks of TLS where there is none."""
    pem, nowhere = tmp_path / "ca.pem", f"http://127.0.0.1:{port}"
    pem.write_text("no certificate")
    lines = []
    async with serving(nothing) as other:
        for section, values in (
            ("mattermost", {"ca_file": str(pem)}),
            ("mattermost", {"url": nowhere}),
            ("mattermost", {"url": other}),
            ("zoom", {"ca_file": str(pem)}),
            ("zoom", {"url": nowhere, "api_url": f"{nowhere}/v2"}),
            ("zoom", {"url": other}),
            ("store", {"url": f"tinydb:{tmp_path}"}),
        ):
            wrong = of(await check(changed(config, section, **values)), Level.WRONG)
            assert wrong
            lines += [f"{subject}: {text}" for subject, text in wrong.items()]
    for line in lines:
        assert not re.search(r"\b(\w+\.\w+): .*\1: |\?;|ssl:default", line), line


async def test_an_api_that_refuses_but_is_not_zoom_s_is_said(config: Config, mattermost: Mattermost) -> None:
    wrong = of(await check_zoom(changed(config, "zoom", api_url=f"{mattermost.url}/api/v4")), Level.WRONG)
    assert "is not Zoom's API" in wrong["zoom.api_url"]


async def test_a_warning_of_the_file_is_a_note(config: Config) -> None:
    findings = await check(replace(config, warnings=("mattermost.url: begins with http://",)))
    assert of(findings, Level.NOTE)["mattermost.url"] == "begins with http://"


async def test_a_wrong_token_is_said(config: Config) -> None:
    wrong = of(await check_mattermost(changed(config, "mattermost", token="x" * 26)), Level.WRONG)
    assert "Bot Accounts" in wrong["mattermost.token"]


async def test_a_server_that_is_not_there_is_said(config: Config, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    wrong = of(await check_mattermost(changed(config, "mattermost", url=url)), Level.WRONG)
    assert list(wrong) == ["mattermost.url"]
    wrong = of(await check_zoom(changed(config, "zoom", url=url, api_url=f"{url}/v2")), Level.WRONG)
    assert set(wrong) == {"zoom.url", "zoom.api_url"}


@pytest.mark.parametrize(("ahead_s", "stops"), [(1800, False), (-7200, True)])
async def test_clocks_that_differ_are_said(
    config: Config, mattermost: Mattermost, zoom: Zoom, ahead_s: int, stops: bool
) -> None:
    mattermost.world.clock_offset_ms = zoom.clock_offset_ms = ahead_s * 1000
    for found, name in ((await check_mattermost(config), "Mattermost"), (await check_zoom(config), "Zoom")):
        wrong = of(found, Level.WRONG)["clock"]
        assert f"differs from {name}'s by" in wrong
        assert ("nothing is deleted" in wrong) is stops


async def test_an_unknown_admin_is_said(config: Config) -> None:
    found = await check_mattermost(changed(config, "mattermost", admins=("alice", "nobody")))
    assert of(found, Level.WRONG) == {"mattermost.admins": "there is no user @nobody"}


async def test_an_admin_whose_name_has_changed_is_said_by_the_present_name(
    config: Config, mattermost: Mattermost
) -> None:
    wanted = changed(config, "mattermost", admins=("bob", "carol"))
    store = await open_store(config.store.url)
    kept = [NamedAdmin(id=name, user_id=mattermost.user(name).id) for name in ("bob", "carol")]
    await store.commit(*map(Put, kept))
    await store.close()
    assert of(await check_mattermost(wanted), Level.WRONG) == {}
    mattermost.rename("bob", "robert")
    said = of(await check_mattermost(wanted), Level.WRONG)["mattermost.admins"]
    assert "there is no user @bob" in said
    assert "now @robert" in said
    mattermost.rename(mattermost.add_user("eve"), "bob")
    said = of(await check_mattermost(wanted), Level.WRONG)["mattermost.admins"]
    assert "@bob is another person than before" in said
    assert "now @robert" in said


async def test_overrides_that_the_server_forbids_are_said(config: Config, mattermost: Mattermost) -> None:
    wanted = changed(config, "mattermost", override_username="Zoom")
    mattermost.allow_overrides = False
    wrong = of(await check_mattermost(wanted), Level.WRONG)
    assert "EnablePostUsernameOverride" in wrong["mattermost.override_username"]
    mattermost.allow_overrides = True
    assert of(await check_mattermost(wanted), Level.WRONG) == {}


@pytest.mark.parametrize(
    "values", [{"app": "account"}, {"app": "server-to-server"}, {"require_same_email": True}]
)
async def test_e_mail_addresses_that_the_bot_needs_and_cannot_see_are_said(
    config: Config, mattermost: Mattermost, values: dict[str, Any]
) -> None:
    subject, wanted = "mattermost e-mail addresses", changed(config, "zoom", **values)
    assert subject in of(await check_mattermost(wanted), Level.OK)
    mattermost.world.show_email_address = False
    assert "ShowEmailAddress" in of(await check_mattermost(wanted), Level.WRONG)[subject]
    # Nobody needs them for the others.
    assert of(await check_mattermost(config), Level.WRONG) == {}
    mattermost.user("zoom").roles = "system_user system_admin"
    assert subject in of(await check_mattermost(wanted), Level.OK)


@pytest.mark.parametrize("app", ["account", "server-to-server"])
async def test_addresses_that_people_can_choose_are_wrong_for_an_app_of_the_whole_account(
    config: Config, mattermost: Mattermost, app: str
) -> None:
    subject, wanted = "mattermost e-mail verification", changed(config, "zoom", app=app)
    assert "RequireEmailVerification" in of(await check_mattermost(wanted), Level.WRONG)[subject]
    assert subject not in of(await check_mattermost(config), Level.WRONG)
    mattermost.world.password_sign_in = False
    assert "sign-on" in of(await check_mattermost(wanted), Level.OK)[subject]
    mattermost.world.password_sign_in, mattermost.world.verify_email = True, True
    assert subject in of(await check_mattermost(wanted), Level.OK)


async def test_wrong_zoom_credentials_are_said(config: Config) -> None:
    wrong = of(await check_zoom(changed(config, "zoom", client_secret="other")), Level.WRONG)
    assert list(wrong) == ["zoom.client_id, client_secret"]


async def test_a_server_to_server_app_is_tried_with_a_token(config: Config) -> None:
    async with Zoom(app="server-to-server") as zoom:
        wanted = changed(
            config,
            "zoom",
            app="server-to-server",
            url=zoom.url,
            api_url=zoom.api_url,
            client_id=zoom.client_id,
            client_secret=zoom.client_secret,
            account_id=zoom.account_id,
        )
        assert of(await check_zoom(wanted), Level.WRONG) == {}
        for values in ({"account_id": "other"}, {"client_secret": "other"}):
            wrong = of(await check_zoom(changed(wanted, "zoom", **values)), Level.WRONG)
            assert list(wrong) == ["zoom.client_id, client_secret, account_id"]


async def test_an_api_address_that_is_none_is_said(config: Config, mattermost: Mattermost) -> None:
    async with serving(lambda request: web.Response(text="<html>", content_type="text/html")) as url:
        wrong = of(await check_zoom(changed(config, "zoom", api_url=url)), Level.WRONG)
    assert list(wrong) == ["zoom.api_url"]


async def test_a_store_is_counted_and_its_dead_requests_are_noted(config: Config) -> None:
    vault = Vault(config.store.encryption_keys)
    store = await open_store(config.store.url)
    item = Item(
        id="post:1",
        kind="post",
        queue="x",
        asked_at=1,
        received_at=1,
        state=ItemState.DEAD,
        error="Zoom\nsaid no",
    )
    link = LinkedAccount(
        id="a", zoom_user_id="z", email="e", sealed_tokens=vault.seal("a", "t"), expires_at=1, linked_at=1
    )
    await store.commit(Put(item), Put(link))
    # As while the bot runs: the store stays open.
    found = await check_store(config)
    assert of(found, Level.WRONG) == {}
    assert "1 linked accounts" in of(found, Level.OK)["store.url"]
    assert (
        "1 requests were given up: inbox/post:1; the latest (post): Zoom said no"
        in of(found, Level.NOTE)["store"]
    )
    await store.close()


async def test_it_is_said_which_key_the_links_open_under(config: Config) -> None:
    key, other = config.store.encryption_keys[0], new_key()

    async def said(*keys: str) -> Finding:
        store = StoreConfig(url=config.store.url, encryption_keys=keys)
        found = await check_store(replace(config, store=store))
        return next(each for each in found if each.subject == "store.encryption_keys")

    store = await open_store(config.store.url)
    assert "nothing is sealed yet" in (await said(key)).text
    vault = Vault((key,))
    tokens = vault.seal("a", "tokens")
    await store.commit(
        Put(
            LinkedAccount(
                id="a", zoom_user_id="z", email="e", sealed_tokens=tokens, expires_at=1, linked_at=1
            )
        ),
        Put(Pending(id="b", user_id="b", sealed=vault.seal("b", "request"), asked_at=1)),
    )
    await store.close()
    right, later, shut = await said(key, other), await said(other, key), await said(other)
    assert (right.level, later.level, shut.level) == (Level.OK, Level.NOTE, Level.WRONG)
    assert "all 2 sealed values open, including 1 Zoom links, all with the first key" in right.text
    assert "2 not with the first key" in later.text
    assert "keys rotate" in later.text
    assert "2 of 2 sealed values do not open, among them 1 of 1 Zoom links" in shut.text


async def test_of_very_many_values_a_sample_is_tried_and_what_is_in_use(config: Config) -> None:
    key, other = config.store.encryption_keys[0], new_key()
    vault, old = Vault((key,)), Vault((other,))

    def link(id: str, vault: Vault = vault) -> Put:
        sealed = vault.seal(id, "t")
        return Put(
            LinkedAccount(id=id, zoom_user_id=id, email="e", sealed_tokens=sealed, expires_at=1, linked_at=1)
        )

    def item(id: str, state: ItemState) -> Put:
        sealed = old.seal(id, "x")
        return Put(Item(id=id, kind="k", queue="q", sealed=sealed, asked_at=1, received_at=1, state=state))

    meeting = Meeting(
        id="m", uuid="u", zoom_id=1, topic="t", join_url="https://z", host_id="00500", created_at=1
    )
    store = await open_store(config.store.url)
    await store.commit(*(link(f"{number:05}") for number in range(1000)), link("00500", old), Put(meeting))
    done = [item(f"a{number:03}", ItemState.DONE) for number in range(100, 200)]
    await store.commit(*done, item("a150x", ItemState.WAITING))
    looked = await look(store, (key,), sample=10)
    assert looked.links == 1000
    # About ten for each doubling, the host of an open meeting, and the request that waits.
    assert 50 <= looked.of_links.total() <= 90
    assert {"links/00500", "inbox/a150x"} <= {each.id for each in looked.shut}
    assert looked.of_links[Opens.NEVER] == 1
    assert looked.untried == 1101 - looked.values.total()
    await store.close()


async def test_a_key_is_tried_on_values_all_over_the_store(config: Config) -> None:
    """As after a rotation that was broken off."""
    key, other = config.store.encryption_keys[0], new_key()
    store = await open_store(config.store.url)
    for number in range(2000):
        id = f"{number:05}"
        sealed = Vault((key if number < 1900 else other,)).seal(id, "t")
        await store.commit(Put(Pending(id=id, user_id="a", sealed=sealed, asked_at=1)))
    await store.close()
    rotating = replace(config, store=StoreConfig(url=config.store.url, encryption_keys=(key, other)))
    found = next(each for each in await check_store(rotating) if each.subject == "store.encryption_keys")
    assert "sealed values that were tried, of 2000, open" in found.text
    assert "not with the first key" in found.text


async def test_a_store_that_cannot_be_is_said(config: Config) -> None:
    broken = changed(config, "store", url="tinydb:/nonexistent/zoombot.db")
    assert "does not exist" in of(await check_store(broken), Level.WRONG)["store.url"]


class serving:  # noqa: N801
    """A server on a free port whose every answer is ``answer(request)``; entering it gives its URL."""

    def __init__(self, answer: Callable[[web.Request], Any], tls: ssl.SSLContext | None = None) -> None:
        async def handle(request: web.Request) -> web.StreamResponse:
            made = answer(request)
            found: web.StreamResponse = await made if hasattr(made, "__await__") else made
            return found

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        self._runner = web.AppRunner(app)
        self._tls = tls

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        host, port = self._runner.addresses[0][:2]
        return f"http{'s' if self._tls else ''}://{host}:{port}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


@pytest.fixture
async def admin_port() -> AsyncIterator[int]:
    """The bot's own health page: it runs."""
    async with serving(lambda request: web.Response(text="ok")) as url:
        yield int(url.rpartition(":")[2])


def nothing(request: web.Request) -> web.Response:
    return web.Response(status=404)


def no_gateway(request: web.Request) -> web.Response:
    return web.Response(status=502)


async def answer_as_the_bot(request: web.Request) -> web.Response:
    if request.path.endswith("/oauth2/connect"):
        return web.Response(status=400, text="no state")
    body = await request.read()
    assert request.query["secret"] in SECRETS
    assert request.content_type == "application/json"
    if not is_signed(request.headers, body, "hook", now_ms()):
        return web.Response(status=403)
    token = (await request.json())["payload"]["plainToken"]
    return web.json_response({"plainToken": token, "encryptedToken": encrypt_token("hook", token)})


async def test_the_way_from_outside_is_tried(config: Config, admin_port: int) -> None:
    async with serving(answer_as_the_bot) as url:
        config = changed(config, "web", public_url=f"{url}/plugins/zoom", admin_port=admin_port)
        right = await check_web(changed(config, "zoom", webhook_secret="hook"))
        assert set(of(right, Level.OK)) == {"web.public_url", "webhook"}
        wrong = of(await check_web(changed(config, "zoom", webhook_secret="other")), Level.WRONG)
        assert list(wrong) == ["webhook"]
        assert "restart the bot" in wrong["webhook"]


def refusing(text: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answers the page as the bot does, and refuses each webhook with this text."""

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/oauth2/connect"):
            return web.Response(status=400)
        return web.Response(status=403, text=text)

    return answer


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the secret in the URL is wrong", "loses what follows the “?”"),
        ("the signature is wrong", "loses the headers"),
        ("<html>Forbidden", "the proxy itself may refuse it"),
    ],
)
@pytest.mark.parametrize("near", ["right", "wrong", "away"])
async def test_what_the_way_to_the_bot_loses_is_told_from_a_changed_secret(
    config: Config, admin_port: int, text: str, said: str, near: str
) -> None:
    config = changed(config, "zoom", webhook_secret="hook")
    bot = answer_as_the_bot if near == "right" else refusing(text)
    async with serving(bot) as direct, serving(refusing(text)) as url:
        port = int(direct.rpartition(":")[2]) if near != "away" else config.web.port
        config = changed(config, "web", public_url=url, admin_port=admin_port, port=port)
        wrong = of(await check_web(config), Level.WRONG)["webhook"]
    assert (said in wrong) is (near != "wrong")
    assert ("restart the bot" in wrong) is (near != "right")


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_chain_that_is_incomplete_or_private_needs_no_ca_file(
    config: Config, tmp_path: Path, trusted: bool
) -> None:
    root = trustme.CA()
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    leaf = root.create_child_ca().issue_cert("127.0.0.1")
    # The intermediate certificate is left out.
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "leaf.pem"))
    leaf.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    served.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "key.pem")
    if trusted:
        root.cert_pem.write_to_path(str(tmp_path / "root.pem"))
        config = changed(config, "mattermost", ca_file=str(tmp_path / "root.pem"))
    async with serving(nothing, served) as url:
        found = await check_web(changed(config, "web", public_url=url))
    text = next(each.text for each in found[::-1] if each.subject == "web.public_url")
    assert "the whole chain" in text
    assert "ca_file" not in text


@pytest.mark.parametrize(
    ("status", "said"), [(404, "unchanged"), (502, "cannot reach the bot"), (200, "status 200")]
)
async def test_a_proxy_that_leads_elsewhere_is_said(
    config: Config, admin_port: int, status: int, said: str
) -> None:
    async with serving(lambda request: web.Response(status=status)) as url:
        found = await check_web(changed(config, "web", public_url=url, admin_port=admin_port))
    wrong = of(found, Level.WRONG)
    assert said in wrong["web.public_url"]
    assert "webhook" in wrong


async def test_addresses_that_are_taken_are_said_before_the_bot_is_started(config: Config) -> None:
    async with serving(nothing) as url:
        taken = int(url.rpartition(":")[2])
        for key in ("port", "admin_port"):
            found = await check_web(changed(config, "web", **{key: taken}))
            assert f"127.0.0.1:{taken}: Address already in use" in of(found, Level.WRONG)[f"web.{key}"]
    free = of(await check_web(config), Level.OK)
    assert set(free) == {"web.port", "web.admin_port"}


async def test_the_port_of_another_replica_is_not_wrong(config: Config) -> None:
    """It answers through a proxy that is away, and its own admin port is another."""
    async with serving(answer_as_the_bot) as url:
        taken = changed(config, "web", port=int(url.rpartition(":")[2]))
        shared = changed(taken, "store", url="postgresql://zoombot@127.0.0.1/zoombot")
        assert "a replica listens on" in of(await check_web(shared), Level.OK)["web.port"]
        # One that shares nothing is in the way.
        assert "Address already in use" in of(await check_web(taken), Level.WRONG)["web.port"]


async def test_an_address_that_is_not_this_machine_s_is_said(config: Config) -> None:
    # For documents alone: no machine has it.
    found = of(await check_web(changed(config, "web", host="192.0.2.1")), Level.WRONG)
    assert "192.0.2.1" in found["web.port"]


async def test_what_is_at_the_public_address_before_the_bot_is_started_is_said(config: Config) -> None:
    async def said(url: str) -> Finding:
        found = await check_web(changed(config, "web", public_url=url))
        return next(each for each in found[::-1] if each.subject == "web.public_url")

    for answer, words in ((no_gateway, "a proxy answers there"), (nothing, "another server answers there")):
        async with serving(answer) as url:
            found = await said(f"{url}/plugins/zoom")
            assert (found.level, words in found.text) == (Level.NOTE, True)
    nobody = await said(config.web.public_url)
    assert (nobody.level, "Connection refused" in nobody.text) == (Level.NOTE, True)
    unknown = await said("https://no-such-host.invalid/plugins/zoom")
    assert unknown.level is Level.WRONG


async def test_weak_secrets_in_the_url_are_noted(config: Config) -> None:
    found = [each.text for each in await check_web(changed(config, "web", url_secret="a+b"))]
    assert any("short" in text for text in found)
    assert any("percent-encoded" in text for text in found)
