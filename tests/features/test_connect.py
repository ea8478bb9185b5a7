"""Linking, as a browser goes through it."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace
from yarl import URL

from bot.domain.records import LinkedAccount, Pending, Ticket
from bot.sandbox.mattermost import Post
from bot.vault import new_key
from tests.conftest import MakeWorld, World
from tests.features.kit import direct, settle

LINK = re.compile(r"\]\((http[^)]+)\)")


class Page(HTMLParser):
    """What a browser shows: the heading, the text, and the form's action and fields."""

    def __init__(self, status: int, headers: Any, html: str) -> None:
        super().__init__()
        self.status = status
        self.headers = headers
        self.html = html
        self.text = ""
        self.title = ""
        self.action = ""
        self.fields: dict[str, str] = {}
        self._tag = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        if tag == "input":
            self.fields[given["name"]] = given["value"]

    def handle_data(self, data: str) -> None:
        if self._tag == "h1" and not self.title:
            self.title = data
        if self._tag != "style":
            self.text += data


async def browse(world: World, url: str | URL, form: dict[str, str] | None = None) -> Page:
    """Open a page, or send a form; redirects are not followed."""
    method = "GET" if form is None else "POST"
    async with world.http.request(method, url, data=form, allow_redirects=False) as response:
        return Page(response.status, response.headers, await response.text())


async def invited(world: World, name: str = "carol") -> str:
    """The one-time link that a person gets."""
    answer = await world.ask(name, world.direct(name), "connect")
    return link_in(answer)


def link_in(post: Post) -> str:
    found = LINK.search(post.message)
    assert found
    return found[1]


async def signed_in(world: World, url: str, email: str = "carol@demo.example", *, allow: bool = True) -> Page:
    """From the link through Zoom's consent and back: the page that asks."""
    first = await browse(world, url)
    assert first.status == 302
    return await browse(world, await world.zoom.consent(first.headers["Location"], email, allow))


async def answered(world: World, question: Page, **also: str) -> Page:
    """The question's form, sent."""
    action = URL(world.config.web.public_url).join(URL(question.action))
    return await browse(world, action, question.fields | also)


async def linked(world: World, url: str, email: str = "carol@demo.example") -> Page:
    page = await answered(world, await signed_in(world, url, email))
    assert page.status == 200
    return page


async def links(world: World) -> dict[str, str]:
    """Whose Zoom account is whose."""
    people = {user.id: user.username for user in map(world.mattermost.user, ("alice", "bob", "carol"))}
    return {people[link.id]: link.email for link in await world.bot.ctx.store.all(LinkedAccount)}


async def too_late(world: World) -> None:
    """Ten minutes pass."""
    store = world.bot.ctx.store
    for ticket in await store.all(Ticket):
        await store.update(Ticket, ticket.id, lambda now: replace(now, expires_at=1))


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Nobody is linked."""
    return await make_world()


# The way through


async def test_from_connect_to_linked(world: World) -> None:
    question = await signed_in(world, await invited(world))
    assert question.title == "Link this Zoom account to @carol?"
    assert "carol@demo.example" in question.text
    assert await links(world) == {}
    page = await answered(world, question)
    assert page.title == "Zoom is connected"
    await settle(world)
    assert await links(world) == {"carol": "carol@demo.example"}
    assert "connected to Zoom as `carol@demo.example`" in direct(world, "carol")[-1]
    (ticket,) = await world.bot.ctx.store.all(Ticket)
    assert (ticket.used, ticket.sealed_verifier, ticket.sealed_grant) == (True, "", "")


async def test_the_link_goes_to_the_person_alone_wherever_it_is_asked_for(world: World) -> None:
    answer = await world.ask("carol", "dev", "@zoom connect")
    assert answer.channel_id == world.direct("carol").id
    assert world.mattermost.bot_posts("dev") == []


async def test_zoom_is_asked_with_state_and_a_hashed_verifier(world: World) -> None:
    url = await invited(world)
    page = await browse(world, url)
    query = URL(page.headers["Location"]).query
    assert query["state"] == URL(url).query["state"]
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == f"{world.config.web.public_url}/oauth2/complete"
    assert query["response_type"] == "code"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


async def test_nothing_that_opens_a_link_is_kept_in_the_clear(world: World) -> None:
    url = await invited(world)
    token = URL(url).query["state"]
    question = await signed_in(world, url)
    (ticket,) = await world.bot.ctx.store.all(Ticket)
    kept = repr([getattr(ticket, name) for name in ticket.__struct_fields__])
    assert token not in kept
    assert question.fields["confirm"] not in kept
    await answered(world, question)
    (link,) = await world.bot.ctx.store.all(LinkedAccount)
    for grant in world.zoom.accounts.grants:
        assert grant.refresh_token not in link.sealed_tokens
        assert not any(access in link.sealed_tokens for access in grant.access)


async def test_who_is_linked_is_told_so_and_gets_no_link(world: World) -> None:
    await linked(world, await invited(world))
    answer = await world.ask("carol", world.direct("carol"), "connect")
    assert "`carol@demo.example`" in answer.message
    assert "disconnect" in answer.message
    assert LINK.search(answer.message) is None


async def test_two_links_of_one_person_both_work_and_the_later_account_stays(world: World) -> None:
    first, second = await invited(world), await invited(world)
    await linked(world, first, "carol@demo.example")
    await linked(world, second, "bob@demo.example")
    assert await links(world) == {"carol": "bob@demo.example"}
    # What was replaced is given back to Zoom.
    assert len(world.zoom.revoked) == 1


# The meeting that was asked for before


async def test_an_unlinked_person_gets_one_link_and_the_channel_nothing(world: World) -> None:
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    answer = await world.answer_to(asked)
    await settle(world)
    assert answer.channel_id == world.direct("carol").id
    assert link_in(answer).startswith(f"{world.config.web.public_url}/oauth2/connect?state=")
    assert world.mattermost.bot_posts() == [answer]
    assert world.zoom.calls == []


async def test_after_linking_the_meeting_starts_where_it_was_asked_for(world: World) -> None:
    root = await world.mattermost.post("bob", "dev", "shall we?")
    asked = await world.mattermost.post("carol", "dev", "@zoom Weekly sync", root_id=root.id)
    await linked(world, link_in(await world.answer_to(asked)))
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev"))
    await settle(world)
    (post,) = world.mattermost.bot_posts("dev")
    assert post.root_id == root.id
    assert post.props["meeting_topic"] == "Weekly sync"
    assert post.props["zoombot_trigger"] == asked.id
    assert post.props["meeting_creator_username"] == "carol"
    assert len(world.zoom.created) == 1
    # The link, and the news that it worked, which asks for nothing more.
    assert len(direct(world, "carol")) == 2
    assert "`start`" not in direct(world, "carol")[-1]
    assert await world.bot.ctx.store.all(Pending) == []


async def test_after_linking_the_newest_request_of_each_channel_starts(world: World) -> None:
    server = world.mattermost
    asked = [
        await server.post("carol", "dev", "@zoom old"),
        await server.post("carol", "town-square", "@zoom elsewhere"),
        await server.post("carol", "dev", "@zoom new"),
    ]
    url = link_in(await world.answer_to(asked[0]))
    for each in asked:
        await world.answer_to(each)
    await linked(world, url)
    for channel in ("dev", "town-square"):
        await server.wait_for(lambda name=channel: server.bot_posts(name))  # type: ignore[misc]
    await settle(world)
    assert [post.props["meeting_topic"] for post in server.bot_posts("dev")] == ["new"]
    assert [post.props["zoombot_trigger"] for post in server.bot_posts("dev")] == [asked[2].id]
    assert [post.props["meeting_topic"] for post in server.bot_posts("town-square")] == ["elsewhere"]
    assert len(world.zoom.created) == 2


async def test_who_left_the_channel_meanwhile_starts_nothing_there(world: World) -> None:
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    url = link_in(await world.answer_to(asked))
    world.mattermost.leave("carol", "dev")
    await linked(world, url)
    await settle(world)
    assert world.zoom.created == []
    assert world.mattermost.bot_posts("dev") == []
    assert "no longer in that channel" in direct(world, "carol")[-1]


async def test_any_of_the_links_starts_what_was_asked_for(world: World) -> None:
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    await world.answer_to(asked)
    await linked(world, await invited(world))
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev"))
    assert world.mattermost.bot_posts("dev")[0].props["zoombot_trigger"] == asked.id


async def test_a_request_of_hours_ago_is_not_started_by_linking(world: World) -> None:
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    url = link_in(await world.answer_to(asked))
    store = world.bot.ctx.store
    (pending,) = await store.all(Pending)
    await store.update(Pending, pending.id, lambda now: replace(now, asked_at=now.asked_at - 2 * 3600_000))
    await linked(world, url)
    await settle(world)
    assert world.zoom.created == []
    assert await store.all(Pending) == []


async def test_a_restart_between_asking_and_linking_loses_nothing(world: World) -> None:
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    question = await signed_in(world, link_in(await world.answer_to(asked)))
    await world.stop()
    await world.start()
    assert (await answered(world, question)).status == 200
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev"))
    assert world.mattermost.bot_posts("dev")[0].props["zoombot_trigger"] == asked.id


async def test_who_was_revoked_at_zoom_is_asked_to_link_again_and_then_served(world: World) -> None:
    await world.link("carol")
    world.zoom.revoke("carol@demo.example")
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    answer = await world.answer_to(asked)
    assert answer.channel_id == world.direct("carol").id
    assert "no longer accepts" in answer.message
    await linked(world, link_in(answer))
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev"))
    assert len(world.zoom.created) == 1


# What a browser may be given instead


async def nothing_linked(world: World, page: Page, status: int, words: str) -> None:
    assert (page.status, page.title) == (status, words)
    assert "Traceback" not in page.html
    await settle(world)
    assert await links(world) == {}


NOT_VALID = "This link is not valid"
EXPIRED = "This link has expired"
USED = "This link has already been used"


@pytest.mark.parametrize("query", ["", "?state=", "?state=nobody", "?state=%ff%00", "?state=" + "x" * 5000])
async def test_an_unknown_link_is_refused(world: World, query: str) -> None:
    for path in ("connect", "complete"):
        url = URL(f"{world.config.web.public_url}/oauth2/{path}{query}", encoded=True)
        await nothing_linked(world, await browse(world, url), 400, NOT_VALID)


async def test_an_expired_link_is_refused_at_every_step(world: World) -> None:
    url = await invited(world)
    zoom = (await browse(world, url)).headers["Location"]
    question = await signed_in(world, await invited(world))
    await too_late(world)
    await nothing_linked(world, await browse(world, url), 400, EXPIRED)
    back = await world.zoom.consent(zoom, "carol@demo.example")
    await nothing_linked(world, await browse(world, back), 400, EXPIRED)
    await nothing_linked(world, await answered(world, question), 400, EXPIRED)


async def test_a_used_link_is_refused_and_what_it_made_stays(world: World) -> None:
    url = await invited(world)
    first = await browse(world, url)
    back = await world.zoom.consent(first.headers["Location"], "carol@demo.example")
    question = await browse(world, back)
    await nothing_linked(world, await browse(world, url), 400, USED)
    await answered(world, question)
    for page in (await browse(world, back), await browse(world, url)):
        assert (page.status, page.title) == (400, USED)
    # The same click once more.
    page = await answered(world, question)
    assert (page.status, page.title) == (200, "Zoom is connected")
    assert await links(world) == {"carol": "carol@demo.example"}


async def test_whoever_declines_at_zoom_reads_that_nothing_was_linked(world: World) -> None:
    page = await signed_in(world, await invited(world), allow=False)
    await nothing_linked(world, page, 200, "Nothing was linked")


async def test_the_same_callback_shows_the_same_question_until_it_is_answered(world: World) -> None:
    first = await browse(world, await invited(world))
    back = await world.zoom.consent(first.headers["Location"], "carol@demo.example")
    async with aiohttp.ClientSession() as http:
        # A browser fetches it ahead of the click, and again, before the first answer has come.
        pages = await asyncio.gather(*(http.get(back) for _ in range(4)))
        shown = [Page(page.status, page.headers, await page.text()) for page in pages]
    shown.append(await browse(world, back))
    assert {(page.status, page.title) for page in shown} == {(200, "Link this Zoom account to @carol?")}
    assert len({page.fields["confirm"] for page in shown}) == 1
    assert len(world.zoom.token_requests) == 1
    assert (await answered(world, shown[0])).title == "Zoom is connected"
    await settle(world)
    again = await browse(world, back)
    assert (again.status, again.title) == (400, USED)
    assert await links(world) == {"carol": "carol@demo.example"}


async def test_the_question_is_shown_again_to_nobody_who_does_not_know_the_code(world: World) -> None:
    url = await invited(world)
    question = await signed_in(world, url)
    state = URL(url).query["state"]
    complete = URL(f"{world.config.web.public_url}/oauth2/complete")
    for code in ("guess", question.fields["confirm"], state):
        page = await browse(world, complete.with_query(code=code, state=state))
        await nothing_linked(world, page, 400, USED)


async def test_a_question_that_has_expired_is_not_shown_again(world: World) -> None:
    first = await browse(world, await invited(world))
    back = await world.zoom.consent(first.headers["Location"], "carol@demo.example")
    await browse(world, back)
    await too_late(world)
    await nothing_linked(world, await browse(world, back), 400, EXPIRED)


async def test_a_code_that_never_reached_zoom_can_be_tried_again(world: World) -> None:
    first = await browse(world, await invited(world))
    back = await world.zoom.consent(first.headers["Location"], "carol@demo.example")
    world.zoom.faults.add(429, path="/oauth/token", body={"code": 429, "message": "x"})
    await nothing_linked(world, await browse(world, back), 502, "Zoom couldn’t be reached")
    assert (await browse(world, back)).title == "Link this Zoom account to @carol?"


async def test_what_nobody_confirmed_is_revoked_when_its_ticket_expires(world: World) -> None:
    await signed_in(world, await invited(world))
    assert world.zoom.revoked == []
    world.zoom.clock.advance(601)
    # The first time Zoom is away.
    world.zoom.faults.add(503, path="/oauth/revoke")
    world.bot.worker.timer.fire()
    await settle(world)
    assert world.zoom.revoked == []
    world.zoom.clock.advance(61)
    world.bot.worker.timer.fire()
    await settle(world)
    assert len(world.zoom.revoked) == 1
    (ticket,) = await world.bot.ctx.store.all(Ticket)
    assert (ticket.sealed_grant, ticket.sealed_secret) == ("", "")


async def test_what_was_confirmed_is_not_revoked_when_its_ticket_expires(world: World) -> None:
    first, second = await invited(world), await invited(world)
    await linked(world, first)
    # Carol begins once more and leaves it: the link goes on with the newer tokens.
    await signed_in(world, second)
    world.zoom.clock.advance(601)
    world.bot.worker.timer.fire()
    await settle(world)
    assert world.zoom.revoked == []
    assert (await world.ask("carol", "dev", "@zoom standup")).props["meeting_topic"] == "standup"


@pytest.mark.parametrize("query", ["code=abc", "code=abc&state="])
async def test_who_added_the_app_at_zoom_reads_which_step_is_left(world: World, query: str) -> None:
    page = await browse(world, f"{world.config.web.public_url}/oauth2/complete?{query}")
    await nothing_linked(world, page, 200, "One step is left")
    assert "write “connect” to the Zoom bot" in page.text
    assert world.zoom.token_requests == []


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        ("access_denied", 200, "Nothing was linked"),
        ("server_error", 400, "Zoom had an error"),
        ("temporarily_unavailable", 400, "Zoom is busy"),
        ("invalid_scope", 400, "Zoom doesn’t accept the app’s permissions"),
        ("unauthorized_client", 400, "Zoom doesn’t accept this app"),
        ("invalid_request", 400, "Zoom didn’t understand the request"),
        ("unsupported_response_type", 400, "Zoom didn’t understand the request"),
        ("Call 0900-EVIL", 400, "Zoom didn’t grant access"),
    ],
)
async def test_what_zoom_s_page_came_back_with_is_named_and_uses_nothing_up(
    world: World, error: str, status: int, title: str
) -> None:
    url = await invited(world)
    complete = URL(f"{world.config.web.public_url}/oauth2/complete")
    for query in ({"error": error, "state": URL(url).query["state"]}, {"error": error}):
        page = await browse(world, complete.with_query(query))
        await nothing_linked(world, page, status, title)
        assert error not in page.html
    assert (await linked(world, url)).title == "Zoom is connected"


async def test_a_code_that_zoom_refuses_links_nothing(world: World) -> None:
    state = URL(await invited(world)).query["state"]
    url = f"{world.config.web.public_url}/oauth2/complete"
    page = await browse(world, URL(url).with_query(code="made-up", state=state))
    await nothing_linked(world, page, 400, "Zoom didn’t accept the sign-in")


@pytest.mark.parametrize(
    ("status", "code", "title"),
    [
        (500, 0, "Zoom couldn’t be reached"),
        (429, 429, "Zoom couldn’t be reached"),
        (400, 4711, "The Zoom app is missing a permission"),
        (403, 200, "Zoom didn’t accept the sign-in"),
    ],
)
async def test_who_cannot_be_identified_is_not_linked_and_zoom_gets_its_tokens_back(
    world: World, status: int, code: int, title: str
) -> None:
    body = {"code": code, "message": "no"}
    world.zoom.faults.add(status, times=-1, method="GET", path=r"/users/me$", body=body)
    page = await signed_in(world, await invited(world))
    assert page.title == title
    assert await links(world) == {}
    assert len(world.zoom.revoked) == 1


async def test_a_code_that_zoom_quotes_is_in_no_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    state = URL(await invited(world)).query["state"]
    quoting = {"reason": "Invalid authorization code made-up", "error": "invalid_grant"}
    world.zoom.faults.add(400, path="/oauth/token", body=quoting)
    url = f"{world.config.web.public_url}/oauth2/complete"
    await browse(world, URL(url).with_query(code="made-up", state=state))
    assert "Invalid authorization code" in caplog.text
    assert "made-up" not in caplog.text


async def test_a_code_of_another_link_is_refused(world: World) -> None:
    mine, other = await invited(world, "carol"), await invited(world, "bob")
    zoom = (await browse(world, other)).headers["Location"]
    back = URL(await world.zoom.consent(zoom, "bob@demo.example"))
    page = await browse(world, back.update_query(state=URL(mine).query["state"]))
    await nothing_linked(world, page, 400, "Zoom didn’t accept the sign-in")


async def test_zoom_being_away_is_said(world: World) -> None:
    zoom = (await browse(world, await invited(world))).headers["Location"]
    back = await world.zoom.consent(zoom, "carol@demo.example")
    world.zoom.faults.add(503, path="/oauth/token", times=-1)
    await nothing_linked(world, await browse(world, back), 502, "Zoom couldn’t be reached")


async def test_whoever_cancels_links_nothing_and_zoom_gets_its_tokens_back(world: World) -> None:
    question = await signed_in(world, await invited(world))
    await nothing_linked(world, await answered(world, question, cancel="1"), 200, "Nothing was linked")
    assert len(world.zoom.revoked) == 1
    await nothing_linked(world, await answered(world, question), 400, USED)


async def let_time_pass(world: World, seconds: float) -> None:
    world.zoom.clock.advance(seconds)
    world.bot.worker.timer.fire()
    await settle(world)


@pytest.mark.parametrize("how", ["cancelled", "unidentified"])
async def test_zoom_gets_its_tokens_back_later_if_it_is_away(world: World, how: str) -> None:
    url = await invited(world)
    world.zoom.faults.add(503, path="/oauth/revoke", times=2)
    if how == "cancelled":
        question = await signed_in(world, url)
        await nothing_linked(world, await answered(world, question, cancel="1"), 200, "Nothing was linked")
        # What was declined cannot be confirmed after all.
        await nothing_linked(world, await answered(world, question), 400, USED)
    else:
        world.zoom.faults.add(500, times=-1, method="GET", path=r"/users/me$")
        await nothing_linked(world, await signed_in(world, url), 502, "Zoom couldn’t be reached")
    assert world.zoom.revoked == []
    await let_time_pass(world, 61)
    await let_time_pass(world, 301)
    assert len(world.zoom.revoked) == 1
    (ticket,) = await world.bot.ctx.store.all(Ticket)
    assert (ticket.sealed_grant, ticket.sealed_secret) == ("", "")


async def test_without_the_form_s_own_secret_nothing_is_confirmed(world: World) -> None:
    question = await signed_in(world, await invited(world))
    for secret in ("", "guess", question.fields["state"], "\udcff".encode("utf-8", "replace").decode()):
        wrong = await answered(world, question, confirm=secret)
        await nothing_linked(world, wrong, 400, NOT_VALID)
    # Whoever has it can still go on.
    assert (await answered(world, question)).status == 200


async def test_a_forwarded_link_says_whose_it_is_and_its_sender_cannot_confirm(world: World) -> None:
    url = await invited(world, "carol")
    question = await signed_in(world, url, "bob@demo.example")
    assert "@carol" in question.title
    assert "bob@demo.example" in question.text
    assert "cancel" in question.text
    # All that carol knows is her link.
    state = URL(url).query["state"]
    assert question.fields["confirm"] not in url
    page = await answered(world, question, confirm=state)
    await nothing_linked(world, page, 400, NOT_VALID)


async def test_a_confirmation_cannot_be_moved_to_another_person(world: World) -> None:
    mine = await signed_in(world, await invited(world, "carol"))
    other = await signed_in(world, await invited(world, "bob"), "bob@demo.example")
    page = await answered(world, mine, state=other.fields["state"])
    await nothing_linked(world, page, 400, NOT_VALID)


async def test_previews_use_nothing_up(world: World) -> None:
    url = await invited(world)
    complete = URL(url).with_path("/oauth2/complete")
    for _ in range(3):
        async with world.http.head(url, allow_redirects=False) as response:
            assert response.status == 302
        assert (await browse(world, url)).status == 302
        async with world.http.head(complete.update_query(code="x")) as response:
            assert response.status == 405
        # What carries neither a code nor an error does not come from Zoom.
        assert (await browse(world, complete)).status == 400
    assert (await linked(world, url)).title == "Zoom is connected"


async def test_two_clicks_at_once_are_one_link(world: World) -> None:
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    question = await signed_in(world, link_in(await world.answer_to(asked)))
    async with aiohttp.ClientSession() as http:
        url = URL(world.config.web.public_url).join(URL(question.action))
        pages = [http.post(url, data=question.fields) for _ in range(4)]
        statuses = [(await page).status for page in pages]
    assert statuses == [200] * 4
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev"))
    await settle(world)
    assert len(world.zoom.created) == 1
    assert len(direct(world, "carol")) == 2


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"state": "x"}'),
        ("multipart/form-data", b"state=x"),
        ("multipart/form-data; boundary=x", b"--x\r\ngarbage"),
        ("application/x-www-form-urlencoded", b"state=%ff%fe&confirm=%00"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"state=x"),
        ("application/x-www-form-urlencoded", b"state=\xff\xfe"),
        ("", b""),
    ],
)
async def test_a_form_that_is_none_is_a_clear_page(world: World, content_type: str, body: bytes) -> None:
    url = f"{world.config.web.public_url}/oauth2/complete"
    headers = {"Content-Type": content_type} if content_type else {}
    async with world.http.post(url, data=body, headers=headers) as response:
        assert response.status == 400
        assert NOT_VALID in await response.text()


async def test_every_page_is_closed_to_frames_scripts_and_caches(world: World) -> None:
    url = await invited(world)
    question = await signed_in(world, url)
    pages = [
        question,
        await browse(world, url),
        await browse(world, f"{world.config.web.public_url}/oauth2/connect"),
        await answered(world, question),
    ]
    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "<script" not in page.html


async def test_what_zoom_says_of_a_person_is_only_text(world: World) -> None:
    evil = '"><script>alert(1)</script>@demo.example'
    world.zoom.user("carol@demo.example").email = evil
    page = await signed_in(world, await invited(world), evil)
    assert "<script" not in page.html
    assert evil in page.text
    await answered(world, page)
    await settle(world)
    assert "<script>" not in direct(world, "carol")[-1]


# Whose account it must be


async def test_the_same_e_mail_can_be_required(make_world: MakeWorld) -> None:
    world = await make_world(zoom={"require_same_email": True})
    page = await signed_in(world, await invited(world), "bob@demo.example")
    await nothing_linked(world, page, 403, "This is another person’s Zoom account")
    assert len(world.zoom.revoked) == 1
    world.zoom.user("carol@demo.example").email = "Carol@Demo.example"
    await linked(world, await invited(world), "Carol@Demo.example")
    assert await links(world) == {"carol": "Carol@Demo.example"}


async def test_while_mattermost_does_not_tell_the_e_mail_nothing_is_used_up(make_world: MakeWorld) -> None:
    world = await make_world(zoom={"require_same_email": True})
    first = await browse(world, await invited(world))
    back = await world.zoom.consent(first.headers["Location"], "carol@demo.example")
    world.mattermost.faults.add(503, times=-1, path="/users")
    assert (await browse(world, back)).status == 500
    world.mattermost.faults.clear()
    # The browser loads the page again.
    question = await browse(world, back)
    assert question.title == "Link this Zoom account to @carol?"
    assert (await answered(world, question)).status == 200
    assert await links(world) == {"carol": "carol@demo.example"}
    assert world.zoom.revoked == []


async def test_an_e_mail_that_was_changed_counts_as_it_is_now(make_world: MakeWorld) -> None:
    world = await make_world(zoom={"require_same_email": True})
    url = await invited(world)
    world.mattermost.user("carol").email = "elsewhere@demo.example"
    page = await signed_in(world, url)
    await nothing_linked(world, page, 403, "This is another person’s Zoom account")


async def test_an_e_mail_that_cannot_be_seen_is_not_taken_for_another_s(make_world: MakeWorld) -> None:
    world = await make_world(zoom={"require_same_email": True})
    world.mattermost.world.show_email_address = False
    page = await signed_in(world, await invited(world))
    await nothing_linked(world, page, 403, "Your e-mail address is hidden")
    assert len(world.zoom.revoked) == 1


# The way back


async def test_disconnect_revokes_at_zoom_and_deletes(world: World) -> None:
    await linked(world, await invited(world))
    answer = await world.ask("carol", world.direct("carol"), "disconnect")
    assert "disconnected" in answer.message
    assert await links(world) == {}
    (token,) = world.zoom.revoked
    assert token
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    assert LINK.search((await world.answer_to(asked)).message)
    assert world.mattermost.bot_posts("dev") == []


async def test_disconnect_ends_an_authorization_whose_token_has_ended(world: World) -> None:
    await linked(world, await invited(world))
    world.zoom.clock.advance(3600)
    store, carol = world.bot.ctx.store, world.mattermost.user("carol").id
    await store.update(LinkedAccount, carol, lambda link: replace(link, expires_at=1))
    world.bot.ctx.tokens._pairs.forget(carol)
    await world.ask("carol", world.direct("carol"), "disconnect")
    assert world.zoom.refreshes == 1
    assert len(world.zoom.revoked) == 1


async def test_disconnect_revokes_what_follows_a_token_that_zoom_takes_no_more(world: World) -> None:
    await linked(world, await invited(world))
    refusal = {"reason": "Invalid Token!", "error": "invalid_request"}
    world.zoom.faults.add(400, path="/oauth/revoke", body=refusal)
    await world.ask("carol", world.direct("carol"), "disconnect")
    assert world.zoom.refreshes == 1
    assert len(world.zoom.revoked) == 1


async def test_who_is_linked_no_longer_may_connect_again(world: World) -> None:
    await linked(world, await invited(world))
    world.zoom.revoke("carol@demo.example")
    assert await linked(world, await invited(world))


async def test_a_key_that_is_gone_is_said_and_locks_nobody_out(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await linked(world, await invited(world))
    await world.stop()
    world.config = dataclasses.replace(
        world.config, store=dataclasses.replace(world.config.store, encryption_keys=(new_key(),))
    )
    await world.start()
    assert "of 1 people whose links were looked at, the tokens of 1 do not open" in caplog.text
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    await linked(world, link_in(await world.answer_to(asked)))
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev"))
    assert "disconnected" in (await world.ask("carol", world.direct("carol"), "disconnect")).message


async def test_disconnect_works_while_zoom_is_away(world: World) -> None:
    await linked(world, await invited(world))
    world.zoom.faults.add(503, path="/oauth/revoke", times=-1)
    answer = await world.ask("carol", world.direct("carol"), "disconnect")
    assert "disconnected" in answer.message
    assert await links(world) == {}


async def test_disconnect_without_a_link_says_so(world: World) -> None:
    answer = await world.ask("carol", world.direct("carol"), "disconnect")
    assert "not connected" in answer.message
    assert world.zoom.revoked == []


async def test_disconnect_drops_what_waited(world: World) -> None:
    await world.answer_to(await world.mattermost.post("carol", "dev", "@zoom standup"))
    await world.link("carol")
    await world.ask("carol", world.direct("carol"), "disconnect")
    await linked(world, await invited(world))
    await settle(world)
    assert world.zoom.created == []


# The other kinds of app


async def test_what_an_administrator_asked_for_before_connecting_the_account_starts(
    make_world: MakeWorld,
) -> None:
    world = await make_world(zoom={"app": "account"})
    world.zoom.app = "account"
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await linked(world, link_in(await world.answer_to(asked)), "alice@demo.example")
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev"))
    assert world.mattermost.bot_posts("dev")[0].props["zoombot_trigger"] == asked.id


async def test_in_an_account_s_app_only_an_administrator_connects(make_world: MakeWorld) -> None:
    world = await make_world(zoom={"app": "account"})
    world.zoom.app = "account"
    for words in ("connect", "disconnect"):
        answer = await world.ask("carol", world.direct("carol"), words)
        assert "isn't connected yet" in answer.message
        assert LINK.search(answer.message) is None
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    assert "administrator" in (await world.answer_to(asked)).message
    await linked(world, await invited(world, "alice"), "alice@demo.example")
    post = await world.ask("carol", "dev", "@zoom standup")
    assert world.zoom.meetings[post.props["meeting_id"]].host.email == "carol@demo.example"


async def test_between_servers_there_is_nothing_to_connect(make_world: MakeWorld) -> None:
    world = await make_world(start=False, zoom={"app": "server-to-server"})
    world.zoom.app = "server-to-server"
    settings = dataclasses.replace(world.config.zoom, account_id=world.zoom.account_id)
    world.config = dataclasses.replace(world.config, zoom=settings)
    await world.start()
    answer = await world.ask("carol", world.direct("carol"), "connect")
    assert LINK.search(answer.message) is None
    post = await world.ask("carol", "dev", "@zoom standup")
    assert world.zoom.meetings[post.props["meeting_id"]].host.email == "carol@demo.example"


# The message that carries the link


async def shown_instead(world: World, post: Post) -> str:
    """What a message with a link says once the link is gone from it."""
    return (await world.shows(post, lambda now: "/oauth2/connect" not in now.message)).message


async def test_a_used_link_is_taken_out_of_its_message(world: World) -> None:
    asked = await world.ask("carol", "dev", "@zoom standup")
    other = await world.ask("carol", world.direct("carol"), "connect")
    await linked(world, link_in(asked))
    said = await shown_instead(world, asked)
    assert said.startswith("The link that was here has been used.")
    await settle(world)
    # Each link has a message of its own.
    assert [post.message for post in world.mattermost.bot_posts() if post.id == other.id] == [other.message]
    (now,) = [post for post in world.mattermost.bot_posts() if post.id == asked.id]
    assert now.props["zoombot_trigger"] == asked.props["zoombot_trigger"]


async def test_a_link_stays_in_its_message_after_zoom_s_page_was_declined(world: World) -> None:
    asked = await world.ask("carol", world.direct("carol"), "connect")
    await signed_in(world, link_in(asked), allow=False)
    await settle(world)
    (now,) = [post for post in world.mattermost.bot_posts() if post.id == asked.id]
    assert link_in(now) == link_in(asked)
    await signed_in(world, link_in(asked))
    assert "has been used. If you're not connected yet, write `connect`" in await shown_instead(world, asked)


async def test_an_expired_link_is_taken_out_of_its_message(world: World) -> None:
    asked = await world.ask("carol", "dev", "@zoom standup")
    world.zoom.clock.advance(10 * 60 + 1)
    world.bot.worker.timer.fire()
    assert await shown_instead(world, asked) == (
        "The link that was here has expired. Write `connect` to get a new one."
    )


async def test_a_link_that_was_used_is_not_said_to_have_expired(world: World) -> None:
    asked = await world.ask("carol", world.direct("carol"), "connect")
    await linked(world, link_in(asked))
    await shown_instead(world, asked)
    world.zoom.clock.advance(10 * 60 + 1)
    world.bot.worker.timer.fire()
    await settle(world)
    assert "has been used" in await shown_instead(world, asked)


async def test_a_private_answer_to_a_slash_command_stays_as_it_is(world: World) -> None:
    await world.mattermost.command("carol", "dev", "/zoom connect")
    said = (await world.mattermost.wait_for(lambda: world.mattermost.ephemerals))[-1]
    found = LINK.search(said.text)
    assert found
    await linked(world, found[1])
    await settle(world)
    assert [post for post in world.mattermost.bot_posts() if "has been used" in post.message] == []
