"""What no webhook told: meetings are closed with Zoom's times, expired, or removed where nobody knows."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bot.domain.records import LinkedAccount, Meeting
from bot.runtime.reconciler import Reconciler
from bot.sandbox.mattermost import Post
from bot.sandbox.zoom import Meeting as ZoomMeeting
from bot.sandbox.zoom.clock import iso
from bot.sandbox.zoom.models import BASIC, RECURRING, Json
from bot.stores import Put
from tests.conftest import MakeWorld, World, two_hosts
from tests.features.kit import ask, planned, settle

HOUR_MS = 60 * 60_000
CREATE = r"/users/[^/]+/meetings$"


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await two_hosts(await make_world(meetings={"duplicate_window_ms": 0}))


def ended(post: Post) -> bool:
    return bool(post.props["meeting_status"] == "ENDED")


def live(post: Post) -> bool:
    return bool(post.props["meeting_status"] == "STARTED")


def event_of(meeting: ZoomMeeting, *, uuid: str = "", ended_at: int = 0) -> Json:
    """The payload of an event about a meeting that began now or is running."""
    about: Json = {"id": str(meeting.id), "uuid": uuid or meeting.uuid, "topic": meeting.topic}
    about["start_time"] = iso(meeting.current.started_ms or meeting.created_ms)
    return {"object": about | ({"end_time": iso(ended_at)} if ended_at else {})}


async def age(world: World, post: Post, hours: int) -> None:
    """Make the bot believe that the meeting of a post is so old."""
    store = world.bot.ctx.store
    (meeting,) = await store.find(Meeting, "zoom_id", post.props["meeting_id"])
    then = meeting.created_at - hours * HOUR_MS
    began = meeting.started_at and then
    await store.update(Meeting, meeting.id, lambda now: replace(now, created_at=then, started_at=began))


async def reconcile(world: World) -> Reconciler:
    reconciler = Reconciler(world.bot.ctx)
    await reconciler.reconcile()
    return reconciler


async def test_a_meeting_that_ended_while_the_bot_was_away_is_closed_with_zooms_times(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.stop()
    world.zoom.clock.advance(45 * 60)
    await world.zoom.end(meeting.id, deliver=False)
    await world.start()
    shown = await world.shows(post, ended)
    assert abs(shown.props["meeting_end_time"] - meeting.last.ended_ms) < 1000
    assert "45 min" in str(shown.props["attachments"])


async def test_a_meeting_that_began_unseen_is_shown_as_begun(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id, deliver=False)
    assert (await reconcile(world)).mended == 1
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    # Now it is known: there is nothing to mend.
    assert (await reconcile(world)).mended == 0


def forget(world: World, meeting: ZoomMeeting) -> None:
    """Zoom no longer knows the meeting."""
    del world.zoom.meetings[meeting.id]
    world.zoom.meeting_store._runs.clear()


async def look_again(world: World, reconciler: Reconciler | None = None, minutes: float = 5) -> Reconciler:
    """Reconcile some minutes later."""
    world.zoom.clock.advance(minutes * 60)
    reconciler = reconciler or world.bot.reconciler
    await reconciler.reconcile()
    await settle(world)
    return reconciler


async def test_a_meeting_that_was_deleted_at_zoom_is_over_at_the_second_look(world: World) -> None:
    post, meeting = await world.meeting()
    forget(world, meeting)
    assert (await reconcile(world)).mended == 0
    reconciler = await reconcile(world)
    assert (await look_again(world, reconciler, minutes=1)).mended == 0
    await look_again(world, reconciler)
    assert "never started" in (await world.shows(post, ended)).message


async def test_a_meeting_that_nobody_starts_expires_after_a_day(world: World) -> None:
    post, _ = await world.meeting()
    await age(world, post, 23)
    assert (await reconcile(world)).mended == 0
    await age(world, post, 2)
    assert (await reconcile(world)).mended == 1
    assert "never started" in (await world.shows(post, ended)).message


async def test_an_expired_meeting_that_begins_after_all_is_live_again(world: World) -> None:
    post, meeting = await world.meeting()
    await age(world, post, 25)
    await reconcile(world)
    await world.shows(post, ended)
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")


async def test_what_zoom_forgot_altogether_is_closed_in_the_end(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    forget(world, meeting)
    # Just ended, and not in Zoom's records yet: it is asked about again.
    reconciler = await reconcile(world)
    for _ in range(5):
        assert (await look_again(world, reconciler)).mended == 0
    assert (await look_again(world, reconciler)).mended == 1
    over = await world.shows(post, ended)
    assert "probably over" in over.message
    assert "meeting_end_time" not in over.props
    # If the event comes after all, its times count.
    await world.zoom.deliver("meeting.ended", event_of(meeting, ended_at=world.zoom.clock.now_ms()))
    await world.shows(post, lambda post: "has ended" in post.message and post.props["meeting_end_time"])


async def test_one_meeting_that_cannot_be_asked_about_holds_up_no_other(world: World) -> None:
    broken, meeting = await world.meeting("alice", "dev", "broken")
    post, other = await world.meeting("bob", "ops", "fine")
    await world.zoom.start(meeting.id)
    await world.zoom.start(other.id)
    for each in (broken, post):
        await world.shows(each, lambda post: post.props["meeting_status"] == "STARTED")
    await world.zoom.end(meeting.id, deliver=False)
    await world.zoom.end(other.id, deliver=False)
    world.zoom.faults.add(500, times=-1, path=f"/meetings/{meeting.id}$")
    assert (await reconcile(world)).mended == 1
    await world.shows(post, ended)
    world.zoom.faults.clear()
    assert (await reconcile(world)).mended == 1
    await world.shows(broken, ended)


async def test_tokens_that_do_not_open_hold_up_no_other(world: World) -> None:
    _, meeting = await world.meeting("alice", "dev", "locked")
    post, other = await world.meeting("bob", "ops", "fine")
    await world.stop()
    await world.zoom.start(other.id, deliver=False)
    await world.zoom.end(other.id, deliver=False)
    await world.start()
    await world.shows(post, ended)
    store = world.bot.ctx.store
    link = await store.get(LinkedAccount, world.mattermost.user("alice").id)
    assert link is not None
    await store.commit(Put(replace(link, sealed_tokens="sealed under a key that is gone")))
    # A process that has not read them yet.
    await world.stop()
    await world.start()
    reconciler = await reconcile(world)
    assert reconciler.mended == 0
    assert meeting.id in world.zoom.meetings


async def test_at_most_four_meetings_are_asked_about_at_once(world: World) -> None:
    for number in range(12):
        await world.meeting("alice", "dev", f"number {number}")
    world.zoom.clear_calls()
    world.zoom.delay = 0.05
    loop = asyncio.get_running_loop()
    began = loop.time()
    await reconcile(world)
    # Each is two calls: all at once would take 0.1 s, one after the other 1.2 s.
    assert len(world.zoom.calls) == 24
    assert loop.time() - began >= 12 / 4 * 2 * 0.05


async def test_what_could_not_be_announced_is_never_posted_after_all(world: World) -> None:
    world.mattermost.faults.add(403, method="POST", path=r"/posts$", user="zoom")
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    assert "couldn't post" in (await world.answer_to(asked)).message
    await reconcile(world)
    await world.bot.publisher.idle()
    assert world.mattermost.bot_posts("dev") == []
    assert await world.bot.ctx.store.all(Meeting) == []


# Refused once, and refused for ever


async def test_a_meeting_that_zoom_does_not_know_for_a_minute_keeps_its_post(world: World) -> None:
    post, meeting = await world.meeting()
    unknown = {"code": 3001, "message": "Meeting does not exist."}
    for _ in range(3):
        # Each time it knows it again at the next look.
        world.zoom.faults.add(404, path=rf"/meetings/{meeting.id}$", times=1, body=unknown)
        for _ in range(2):
            await look_again(world)
    assert world.bot.reconciler.mended == 0
    await world.zoom.start(meeting.id)
    await world.shows(post, live)


@pytest.mark.parametrize("takes_place", ["runs", "ended"])
async def test_a_meeting_that_was_closed_is_opened_again_when_zoom_says_that_it_runs(
    world: World, takes_place: str
) -> None:
    post, meeting = await world.meeting()
    unknown = {"code": 3001, "message": "Meeting does not exist."}
    world.zoom.faults.add(404, path=r"/v2/(past_)?meetings/", times=4, body=unknown)
    await look_again(world)
    await look_again(world)
    await world.shows(post, ended)
    world.zoom.clock.advance(60 * 60)
    await world.zoom.start(meeting.id, deliver=False)
    if takes_place == "ended":
        await world.zoom.end(meeting.id, deliver=False)
    await look_again(world)
    if takes_place == "ended":
        await world.shows(post, lambda post: "has ended" in post.message)
    else:
        assert meeting.join_url in (await world.shows(post, live)).message
        await world.zoom.end(meeting.id, deliver=False)
        await look_again(world)
        await world.shows(post, lambda post: "has ended" in post.message)


async def test_a_meeting_that_is_gone_for_good_is_looked_at_for_a_day_and_no_longer(world: World) -> None:
    _, meeting = await world.meeting()
    forget(world, meeting)
    world.zoom.clear_calls()
    for _ in range(26 * 12):
        await look_again(world)
    assert len(world.zoom.calls) < 70
    world.zoom.clear_calls()
    for _ in range(24):
        await look_again(world)
    assert world.zoom.calls == []


@pytest.mark.parametrize("sign", ["meeting.started", "meeting.participant_joined"])
@pytest.mark.parametrize("shared", [False, True])
async def test_a_meeting_that_was_closed_is_opened_again_with_its_link_by_a_sign_of_life(
    world: World, sign: str, shared: bool
) -> None:
    if shared:
        meeting = planned(world, "bob")
        post = await world.ask("bob", "dev", f"@zoom join {meeting.id}")
    else:
        post, meeting = await world.meeting()
    unknown = {"code": 3001, "message": "Meeting does not exist."}
    world.zoom.faults.add(404, path=r"/v2/meetings/", times=2, body=unknown)
    await look_again(world)
    await look_again(world)
    closed = await world.shows(post, ended)
    assert meeting.join_url not in closed.message
    # It starts under another uuid.
    world.zoom.meeting_store.renews_uuid = True
    world.zoom.clock.advance(60)
    await world.zoom.start(meeting.id, deliver=False)
    payload = event_of(meeting)
    if sign == "meeting.participant_joined":
        about = payload["object"]
        assert isinstance(about, dict)
        about["participant"] = {"user_id": "1", "user_name": "Ann"}
    await world.zoom.deliver(sign, payload)
    again = await world.shows(post, live)
    assert meeting.join_url in again.message
    await world.zoom.end(meeting.id)
    await world.shows(post, ended)


async def test_a_live_meeting_of_which_zoom_no_longer_tells_is_presumed_over_and_that_is_said(
    world: World,
) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.shows(post, live)
    await ask(world, "alice", world.direct("alice"), "disconnect")
    await look_again(world, minutes=29 * 60)
    (shown,) = world.mattermost.bot_posts("dev")
    assert live(shown)
    await look_again(world, minutes=2 * 60)
    over = await world.shows(post, ended)
    assert over.message == (
        "The Zoom meeting “standup” is probably over. I can't find out from Zoom when it ended."
    )
    (card,) = over.props["attachments"]
    assert [field["title"] for field in card["fields"]] == ["Started", "Attended"]
    assert meeting.join_url not in str(over.props["attachments"])
    assert not (await world.bot.ctx.store.find(Meeting, "open", True))


async def test_a_waiting_meeting_of_which_zoom_no_longer_tells_is_not_said_to_be_never_started(
    world: World,
) -> None:
    post, _ = await world.meeting()
    await ask(world, "alice", world.direct("alice"), "disconnect")
    await look_again(world, minutes=25 * 60)
    over = await world.shows(post, ended)
    assert "never started" not in over.message
    assert "whether it took place" in over.message


async def test_what_was_presumed_to_be_over_is_live_again_at_a_sign_of_life(world: World) -> None:
    post, meeting = await world.meeting()
    await ask(world, "alice", world.direct("alice"), "disconnect")
    await look_again(world, minutes=25 * 60)
    await world.shows(post, ended)
    await world.zoom.start(meeting.id)
    assert meeting.join_url in (await world.shows(post, live)).message


async def test_zoom_is_asked_less_and_less_about_a_meeting_of_which_it_tells_nothing(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.shows(post, live)
    refused = {"code": 3000, "message": "Cannot access meeting information."}
    world.zoom.faults.add(400, path=r"/v2/meetings/", times=-1, body=refused)
    world.zoom.clear_calls()
    for _ in range(int(31 * 60 / 5)):
        await look_again(world)
    await world.shows(post, ended)
    # Every five minutes would be 360.
    assert len(world.zoom.calls) < 45
    world.zoom.clear_calls()
    for _ in range(24):
        await look_again(world)
    assert world.zoom.calls == []


async def test_a_zoom_that_is_away_for_two_days_closes_nothing(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.shows(post, live)
    world.zoom.faults.add(503, path=r"/v2/", times=-1)
    await look_again(world, minutes=48 * 60)
    assert world.bot.reconciler.mended == 0
    world.zoom.faults.clear()
    # It is asked at the next look, and tells.
    await world.zoom.end(meeting.id, deliver=False)
    await look_again(world)
    await world.shows(post, lambda post: "has ended" in post.message)
    await world.meeting(topic="retro")
    world.zoom.faults.add(503, path=r"/v2/", times=-1)
    await look_again(world, minutes=9 * 24 * 60)
    assert not (await world.bot.ctx.store.find(Meeting, "open", True))


@pytest.mark.parametrize("begun", [False, True])
async def test_of_free_accounts_zoom_tells_no_ends(world: World, begun: bool) -> None:
    world.zoom.user("alice@demo.example").type = BASIC
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id, deliver=begun)
    await settle(world)
    await world.zoom.end(meeting.id, deliver=False)
    await look_again(world)
    await look_again(world)
    over = await world.shows(post, ended)
    assert ("when it ended" if begun else "whether it took place") in over.message


async def test_a_waiting_meeting_of_a_free_account_was_never_started(world: World) -> None:
    world.zoom.user("alice@demo.example").type = BASIC
    post, _ = await world.meeting()
    await look_again(world, minutes=25 * 60)
    assert "never started" in (await world.shows(post, ended)).message


async def webinar_of(world: World) -> tuple[Post, ZoomMeeting]:
    world.zoom.user("bob@demo.example").webinar = True
    post = await world.ask("bob", "dev", "@zoom webinar Town hall")
    return post, world.zoom.meetings[post.props["meeting_id"]]


async def test_a_webinar_follows_its_events_and_not_what_zoom_leaves_out(world: World) -> None:
    post, webinar = await webinar_of(world)
    await world.zoom.start(webinar.id)
    for minutes in (5, 24 * 60):
        await look_again(world, minutes=minutes)
        (shown,) = world.mattermost.bot_posts("dev")
        assert live(shown)
    await world.zoom.end(webinar.id)
    assert "has ended" in (await world.shows(post, ended)).message


@pytest.mark.parametrize("begun", [False, True])
async def test_a_webinar_whose_events_did_not_come_is_presumed_over(world: World, begun: bool) -> None:
    post, webinar = await webinar_of(world)
    unknown = {"code": 3001, "message": "Meeting does not exist."}
    world.zoom.faults.add(404, path=r"/past_meetings/", times=-1, body=unknown)
    await world.zoom.start(webinar.id, deliver=begun)
    await settle(world)
    await world.zoom.end(webinar.id, deliver=False)
    await look_again(world, minutes=31 * 60)
    over = await world.shows(post, ended)
    assert over.message == (
        "The Zoom webinar “Town hall” is probably over. "
        + f"I can't find out from Zoom {'when it ended' if begun else 'whether it took place'}."
    )


async def test_a_webinar_that_zoom_no_longer_knows_is_not_said_to_be_never_started(world: World) -> None:
    post, webinar = await webinar_of(world)
    forget(world, webinar)
    await look_again(world)
    await look_again(world)
    assert "never started" not in (await world.shows(post, ended)).message


# Another session under the same number


@pytest.mark.parametrize("names_last", [False, True])
async def test_yesterday_s_end_does_not_close_today_s_post(world: World, names_last: bool) -> None:
    world.zoom.names_last_uuid = names_last
    meeting = planned(world, "bob", "Weekly", RECURRING)
    await world.zoom.start(meeting.id, deliver=False)
    await world.zoom.end(meeting.id, deliver=False)
    world.zoom.clock.advance(24 * 60 * 60)
    post = await world.ask("bob", "dev", f"@zoom join {meeting.id}")
    for _ in range(3):
        assert (await look_again(world)).mended == 0
    # Today's takes place, and no event of it comes.
    world.zoom.meeting_store.renews_uuid = True
    await world.zoom.start(meeting.id, deliver=False)
    await look_again(world)
    await world.shows(post, live)
    await world.zoom.end(meeting.id, deliver=False)
    await look_again(world)
    over = await world.shows(post, ended)
    assert over.props["meeting_end_time"] // 1000 == meeting.last.ended_ms // 1000
    assert over.props["meeting_uuid"] == meeting.last.uuid


@pytest.mark.parametrize("looks", [False, True])
async def test_an_own_meeting_that_got_another_uuid_unseen_is_known_by_its_number(
    world: World, looks: bool
) -> None:
    post, meeting = await world.meeting()
    world.zoom.meeting_store.renews_uuid = True
    world.zoom.clock.advance(60)
    await world.zoom.start(meeting.id, deliver=False)
    if looks:
        await look_again(world)
        await world.shows(post, live)
    await world.zoom.end(meeting.id, deliver=False)
    await look_again(world)
    over = await world.shows(post, ended)
    assert over.props["meeting_end_time"] // 1000 == meeting.last.ended_ms // 1000


async def test_a_room_that_was_used_again_before_the_look_is_not_said_to_be_never_started(
    world: World,
) -> None:
    post = await world.ask("bob", "dev", "@zoom join me")
    room = world.zoom.meetings[post.props["meeting_id"]]
    await world.stop()
    # The announced session, and hours later a private one, of which alone Zoom tells.
    for minutes in (5, 5 * 60):
        world.zoom.clock.advance(minutes * 60)
        await world.zoom.start(room.id, deliver=False)
        await world.zoom.end(room.id, deliver=False)
    world.zoom.clock.advance(31 * 24 * 60 * 60)
    await world.start()
    await look_again(world)
    over = await world.shows(post, ended)
    assert "whether it took place" in over.message
    assert "meeting_end_time" not in over.props


async def test_one_session_of_a_shared_meeting_closes_its_posts_in_all_channels(world: World) -> None:
    meeting = planned(world, "bob")
    posts = [await world.ask("bob", channel, f"@zoom join {meeting.id}") for channel in ("dev", "ops")]
    world.zoom.clock.advance(60 * 60)
    await world.zoom.start(meeting.id, deliver=False)
    world.zoom.clock.advance(60 * 60)
    await world.zoom.end(meeting.id, deliver=False)
    await look_again(world)
    for post in posts:
        await world.shows(post, ended)
