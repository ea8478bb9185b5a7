"""``join``: an existing meeting is shared, by those who may see it, and nothing of it leaks to others."""

from __future__ import annotations

import pytest

from bot.sandbox.zoom.models import WEBINAR, Json
from bot.zoom.addresses import JoinLink, NotJoinable, find_join_link, join_link
from tests.conftest import MakeWorld, World
from tests.features.kit import App, as_app, ask, direct, held, planned, replies, settle, told, with_stranger

ZOOM = "https://zoom.us"


async def test_an_id_of_one_s_own_is_posted_with_its_passcode_link(trio: World) -> None:
    meeting = planned(trio, "bob", "Weekly")
    number = f"{str(meeting.id)[:3]} {str(meeting.id)[3:7]} {str(meeting.id)[7:]}"
    post = await trio.ask("bob", "dev", f"@zoom join {number}")
    assert post.channel_id == trio.mattermost.channel("dev").id
    assert meeting.join_url in post.message
    assert post.props["meeting_id"] == meeting.id
    assert post.props["meeting_link"] == meeting.join_url
    assert "Weekly" in post.message


async def test_a_shared_meeting_shows_its_life(trio: World) -> None:
    meeting = planned(trio, "bob")
    post = await trio.ask("bob", "dev", f"@zoom join {meeting.id}")
    await held(trio, meeting)
    await trio.shows(post, lambda now: now.props["meeting_status"] == "ENDED")


async def test_a_meeting_that_goes_on_is_shared_as_such(trio: World) -> None:
    meeting = planned(trio, "bob")
    await trio.zoom.start(meeting.id)
    post = await trio.ask("bob", "dev", f"@zoom join {meeting.id}")
    assert post.props["meeting_status"] == "STARTED"


async def test_a_meeting_of_somebody_else_is_not_shown_and_the_way_out_is_said(trio: World) -> None:
    meeting = planned(trio, "bob", "Salaries")
    said = await told(trio, "carol", "dev", f"@zoom join {meeting.id}")
    assert "whole invitation link" in said
    assert "Salaries" not in said
    assert trio.mattermost.bot_posts("dev") == []


@pytest.mark.parametrize("app", ["account", "server-to-server"])
async def test_whom_zoom_does_not_know_learns_of_no_meeting(make_world: MakeWorld, app: App) -> None:
    world = await as_app(await make_world(start=False), app)
    world.mattermost.join(world.mattermost.add_user("mallory"), "dev")
    numbers = (planned(world, "bob", "Salaries").id, 99999999999)
    one, other = [await told(world, "mallory", "dev", f"@zoom join {number}") for number in numbers]
    assert one == other


@pytest.mark.parametrize("app", ["account", "server-to-server"])
async def test_an_app_that_sees_everything_shows_each_only_what_is_theirs(
    make_world: MakeWorld, app: App
) -> None:
    world = await as_app(await make_world(start=False), app)
    meeting = planned(world, "bob", "Salaries")
    said = await told(world, "carol", "dev", f"@zoom join {meeting.id}")
    assert "whole invitation link" in said
    assert meeting.password not in said
    post = await world.ask("bob", "dev", f"@zoom join {meeting.id}")
    assert meeting.join_url in post.message


async def test_a_planned_meeting_that_could_not_be_posted_is_left_alone_at_zoom(trio: World) -> None:
    meeting = planned(trio, "bob")
    trio.mattermost.faults.add(403, method="POST", path=r"/posts$", user="zoom")
    said = await told(trio, "bob", "dev", f"@zoom join {meeting.id}")
    assert "couldn't post" in said
    assert "started" not in said
    assert meeting.id in trio.zoom.meetings


async def test_a_room_that_is_live_is_announced_as_such(trio: World) -> None:
    pmi = trio.zoom.user("bob@demo.example").pmi
    await trio.zoom.start(pmi)
    assert (await trio.ask("bob", "dev", "@zoom join me")).props["meeting_status"] == "STARTED"
    await told(trio, "bob", trio.direct("bob"), "settings pmi always")
    assert (await trio.ask("bob", "dev", "@zoom standup")).props["meeting_status"] == "STARTED"


async def test_a_zoom_that_keeps_its_settings_to_itself_still_has_the_room(trio: World) -> None:
    unknown = {"code": 404, "message": "Not found."}
    trio.zoom.faults.add(404, times=-1, method="GET", path=r"/settings$", body=unknown)
    post = await trio.ask("bob", "dev", "@zoom join me")
    assert post.props["meeting_id"] == trio.zoom.user("bob@demo.example").pmi


async def test_me_is_the_room_of_the_person_who_asks(trio: World) -> None:
    post = await trio.ask("bob", "dev", "@zoom join me")
    pmi = trio.zoom.user("bob@demo.example").pmi
    assert post.props["meeting_id"] == pmi
    assert trio.zoom.meetings[pmi].join_url in post.message


async def test_me_without_a_link_asks_to_connect_privately(trio: World) -> None:
    said = await told(trio, "mallory", "dev", "@zoom join me")
    assert "/oauth2/connect" in said


async def test_a_room_that_is_switched_off_is_said(trio: World) -> None:
    trio.zoom.user("bob@demo.example").pmi_enabled = False
    said = await told(trio, "bob", "dev", "@zoom join me")
    assert "personal meeting room" in said
    assert f"{trio.zoom.url}/profile/setting" in said


async def test_a_pasted_link_is_posted_as_it_is(trio: World) -> None:
    url = "https://acme.zoom.us/j/92345678901?pwd=aBc.1"
    post = await trio.ask("mallory", "dev", f"@zoom join {url}")
    assert url in post.message
    assert post.props["meeting_link"] == url
    assert post.props["meeting_id"] == 92345678901
    assert trio.zoom.calls == []


async def test_a_link_of_another_site_is_refused_privately(trio: World) -> None:
    said = await told(trio, "mallory", "dev", "@zoom join https://zoom.us.evil.example/j/92345678901")
    assert "evil" not in said
    assert trio.mattermost.bot_posts("dev") == []


async def test_a_host_s_link_is_never_posted(trio: World) -> None:
    meeting = planned(trio, "bob")
    said = await told(trio, "bob", "dev", f"@zoom join {meeting.start_url}")
    assert "host" in said
    assert meeting.start_url not in said
    assert trio.mattermost.bot_posts("dev") == []


async def test_a_pasted_number_brings_a_stranger_nothing_of_what_happens_there(trio: World) -> None:
    meeting = planned(trio, "bob", "Salaries")
    post = await trio.ask("mallory", "dev", f"@zoom join {trio.zoom.url}/j/{meeting.id}")
    before = post.update_at
    # Something of the same number that the bot does know, so that Zoom's events are taken in.
    own = await trio.ask("bob", trio.direct("bob"), f"join {meeting.id}")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    await trio.zoom.transcribe(meeting.id)
    await trio.zoom.summarize(meeting.id)
    await settle(trio)
    assert len(replies(trio, own)) == 4
    assert replies(trio, post) == []
    (shown,) = [each for each in trio.mattermost.bot_posts("dev") if each.id == post.id]
    assert shown.update_at == before
    assert shown.props["meeting_status"] == "WAITING"
    assert direct(trio, "mallory") == []


async def test_a_pasted_link_is_left_alone_by_the_reconciler(trio: World) -> None:
    post = await trio.ask("mallory", "dev", "@zoom join https://zoom.us/j/92345678901")
    await trio.bot.reconciler.reconcile()
    await settle(trio)
    assert post.props["meeting_status"] == "WAITING"
    assert trio.zoom.calls == []


async def test_a_restricted_channel_is_restricted_for_join_too(make_world: MakeWorld) -> None:
    world = await with_stranger(await make_world(meetings={"restrict_public_channels": True}))
    for what in ("me", "https://zoom.us/j/92345678901"):
        await told(world, "bob", "dev", f"@zoom join {what}")
    assert world.mattermost.bot_posts("dev") == []


async def test_zoom_being_away_is_said(trio: World) -> None:
    await trio.zoom.stop_server()
    (answer,) = await ask(trio, "bob", "dev", "@zoom join 92345678901")
    assert answer.channel_id == trio.direct("bob").id
    assert "can't reach Zoom" in answer.message
    await trio.zoom.start_server()


async def test_a_room_that_was_shared_long_ago_shows_nothing(trio: World) -> None:
    post = await trio.ask("bob", "dev", "@zoom join me")
    room = trio.zoom.meetings[post.props["meeting_id"]]
    await held(trio, room)
    await trio.shows(post, lambda now: now.props["meeting_status"] == "ENDED")
    # The room is used again, privately.
    await held(trio, room)
    await trio.zoom.record(room.id)
    await settle(trio)
    assert replies(trio, post) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://zoom.us/j/92345678901",
        "https://ZOOM.us/j/92345678901?pwd=x#success",
        "https://us02web.zoom.us/w/92345678901?pwd=a-b_c.1",
        "https://acme.zoom.com/wc/join/92345678901",
        "https://zoomgov.com/wc/92345678901/join",
        "https://zoom.us/my/alice.demo",
        "https://zoom.us/wc/92345678901",
        "https://zoom.us/launch/jc/92345678901?pwd=x",
        "https://zoom.us/join?confno=92345678901&pwd=x",
        "https://uni.zoom-x.de/j/92345678901",
        "https://x.zoom.com.cn/j/92345678901",
        "https://zoom.example.com/j/92345678901",
        "https://zoom.example.com/j/92345678901/?pwd=x",
    ],
)
def test_links_that_are_accepted(url: str) -> None:
    found = join_link(url, "https://zoom.example.com")
    assert isinstance(found, JoinLink)
    assert found.url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://zoom.us/j/92345678901", NotJoinable.FOREIGN),
        ("https://evilzoom.us/j/92345678901", NotJoinable.FOREIGN),
        ("https://xn--/j/92345678901", NotJoinable.FOREIGN),
        ("https://zoom.us@evil.example/j/92345678901", NotJoinable.FOREIGN),
        ("https://evil.example@zoom.us/j/92345678901", NotJoinable.FOREIGN),
        ("https://evil.example\\@zoom.us/j/92345678901", NotJoinable.FOREIGN),
        ("https://zoom.us\\@evil.example/j/92345678901", NotJoinable.FOREIGN),
        ("https://zoom.us:8443/j/92345678901", NotJoinable.FOREIGN),
        ("https://zoom.us/signin?next=https://evil.example", NotJoinable.FOREIGN),
        ("https://zoom.us/rec/share/abc", NotJoinable.FOREIGN),
        ("https://zoom.us/j/92345678901)[x](http://evil.example", NotJoinable.FOREIGN),
        ("https://zоom.us/j/92345678901", NotJoinable.FOREIGN),
        ("https://[zoom.us/j/92345678901", NotJoinable.FOREIGN),
        ("https://zoom.us/oauth/authorize/j/92345678901?client_id=evil", NotJoinable.FOREIGN),
        ("https://zoom.us/signin/redirect/my/x?to=https://evil.example", NotJoinable.FOREIGN),
        ("https://zoom.us/j/92345678901/register", NotJoinable.REGISTRATION),
        ("https://zoom.us/wc/92345678901/start", NotJoinable.HOST),
        ("https://evil-zoom-x.de/j/92345678901", NotJoinable.FOREIGN),
        ("https://zoom.us/meeting/register/tZ0qcu", NotJoinable.REGISTRATION),
        ("https://zoom.us/webinar/register/WN_x", NotJoinable.REGISTRATION),
        ("https://zoom.us/j/92345678901?tk=abc", NotJoinable.PERSONAL),
        ("https://us02web.zoom.us/w/92345678901?pwd=x&TK=abc", NotJoinable.PERSONAL),
        ("https://zoom.us/my/bob?access_token=abc", NotJoinable.PERSONAL),
        ("https://zoom.us/j/92345678901?obf_token=abc", NotJoinable.PERSONAL),
        ("https://zoom.us/w/92345678901?registrant_id=abc", NotJoinable.PERSONAL),
        ("https://zoom.us/j/92345678901#tk=abc", NotJoinable.PERSONAL),
        ("https://zoom.us/join?confno=abc", NotJoinable.FOREIGN),
        ("https://zoom.us/s/92345678901?zak=abc", NotJoinable.HOST),
        ("https://zoom.us/j/92345678901?ZAK=abc", NotJoinable.HOST),
        ("https://zoom.us/my/bob?pwd=1&Zak=abc", NotJoinable.HOST),
        ("https://zoom.us/j/92345678901?zak=abc", NotJoinable.HOST),
    ],
)
def test_links_that_are_refused(url: str, why: NotJoinable) -> None:
    assert join_link(url, ZOOM) is why


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("?uname=Jane", ""),
        ("?pwd=x%2Fy&uname=Jane#success", "?pwd=x%2Fy#success"),
        ("?UN=SmFuZQ%3D%3D&pwd=x&Email=a@b.example", "?pwd=x"),
        ("?pwd=x&from=addon", "?pwd=x&from=addon"),
        ("?user_name=Jane&pwd=x&name=Jane", "?pwd=x"),
    ],
)
def test_who_would_open_a_link_is_left_out_of_it(given: str, left: str) -> None:
    link = "https://zoom.us/j/92345678901"
    assert join_link(link + given, ZOOM) == JoinLink(link + left, 92345678901)


LINK = "https://us02web.zoom.us/j/92345678901?pwd=abc.1"


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "<{}>",
        "{}.",
        "{}, please!",
        "({})",
        "see {}; thanks?",
        "[Zoom]({})",
        "[{0}]({0})",
        "`{}`",
        '"{}"',
        "**{}**",
        "„{}“",
        "»{}«",
        "（{}）",
        "{}。",
        "{}…",
        "\u2068{}\u2069",
        "Join Zoom Meeting\n{}\n\nOne tap mobile\nhttps://us02web.zoom.us/u/kabc",
        "https://example.com/agenda {}",
    ],
)
def test_a_link_is_found_in_what_stands_around_it(around: str) -> None:
    assert find_join_link(around.format(LINK), ZOOM) == JoinLink(LINK, 92345678901)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("zoom.us/j/92345678901?pwd=x.", JoinLink("https://zoom.us/j/92345678901?pwd=x", 92345678901)),
        ("US02web.zoom.us/my/bob", JoinLink("https://US02web.zoom.us/my/bob")),
        ("https://evil.example@zoom.us/j/92345678901", NotJoinable.FOREIGN),
        ("evilzoom.us/j/92345678901", None),
        ("mail@zoom.us/j/92345678901", None),
        (
            "https://zoom.us/j/92345678901?from=x&amp;pwd=y&#38;uname=Jane",
            JoinLink("https://zoom.us/j/92345678901?from=x&pwd=y", 92345678901),
        ),
        ("https://zoom.us/j/92345678901?pwd=y&amp;tk=z", NotJoinable.PERSONAL),
        ("https://zооm.us/j/92345678901", NotJoinable.FOREIGN),
        ("92345678901", None),
        ("https://example.com/x https://zoom.us/s/92345678901?zak=a", NotJoinable.HOST),
    ],
)
def test_links_are_found_without_their_scheme_on_zoom_s_own_hosts(
    written: str, found: JoinLink | NotJoinable | None
) -> None:
    assert find_join_link(written, ZOOM) == found


@pytest.mark.parametrize("around", ["[Zoom]({}), please", "<{}>", "([Zoom]({}))."])
def test_the_end_of_a_passcode_is_kept_where_brackets_end_the_link(around: str) -> None:
    link = "https://zoom.us/j/92345678901?pwd=a(b)_"
    assert find_join_link(around.format(link), ZOOM) == JoinLink(link, 92345678901)


async def test_what_stands_around_a_link_is_never_posted(trio: World) -> None:
    post = await trio.ask("bob", "dev", f"@zoom join [Zoom]({LINK}), please")
    assert post.props["meeting_link"] == LINK
    assert "please" not in post.message
    assert trio.zoom.created == []


async def test_the_id_of_an_invitation_counts_where_its_other_links_lead_to_no_meeting(trio: World) -> None:
    meeting = planned(trio, "bob")
    invitation = (
        "Join Zoom Meeting\nMeeting ID: {}\nPasscode: 1\nFind your local number: https://zoom.us/u/kabc"
    )
    post = await trio.ask("bob", "dev", f"@zoom join {invitation.format(meeting.id)}")
    assert post.props["meeting_link"] == meeting.join_url
    # The ID of somebody else shows nothing either way.
    said = await told(trio, "carol", "dev", f"@zoom join {invitation.format(meeting.id)}")
    assert "Zoom doesn't show me a meeting of yours" in said
    said = await told(trio, "bob", "dev", f"@zoom join Meeting ID: {meeting.id} https://zoom.us/s/1?zak=x")
    assert "would make everyone a host" in said


async def test_a_personal_link_is_refused_privately(trio: World) -> None:
    said = await told(trio, "bob", "dev", f"@zoom join {LINK}&tk=secret")
    assert "personal" in said
    assert "secret" not in said
    assert trio.mattermost.bot_posts("dev") == []


async def test_a_channel_follows_the_meeting_of_a_link(trio: World) -> None:
    number = planned(trio, "bob").id
    (said,) = await ask(trio, "bob", "dev", f"@zoom subscribe <https://zoom.us/j/{number}?pwd=x>.")
    assert "now follows" in said.message
    refused = await told(trio, "bob", "dev", "@zoom subscribe https://zoom.us/my/bob")
    assert "can't find a meeting ID" in refused
    (said,) = await ask(trio, "bob", "dev", f"@zoom unsubscribe https://zoom.us/j/{number}")
    assert "no longer follows" in said.message


async def test_an_event_for_no_meeting_at_all_changes_no_pasted_card(trio: World) -> None:
    post = await trio.ask("mallory", "dev", "@zoom join https://zoom.us/my/bob")
    assert "meeting_id" in post.props
    about: Json = {"id": "0", "uuid": "", "host_id": "x", "topic": "x", "type": 1}
    await trio.zoom.deliver("meeting.started", {"object": about})
    await settle(trio)
    (shown,) = trio.mattermost.bot_posts("dev")
    assert shown.props["meeting_status"] == "WAITING"


async def test_the_number_of_one_s_own_webinar_is_shared_and_followed(trio: World) -> None:
    webinar = planned(trio, "bob", topic="Town hall", kind=WEBINAR)
    post = await trio.ask("bob", "dev", f"@zoom join {webinar.id}")
    assert (post.props["meeting_id"], post.props["meeting_topic"]) == (webinar.id, "Town hall")
    assert post.message.startswith("bob shared a Zoom webinar: ")
    gets = [call.path for call in trio.zoom.calls if call.method == "GET"]
    assert gets == [f"/v2/meetings/{webinar.id}", f"/v2/webinars/{webinar.id}"]
    await trio.bot.reconciler.reconcile()
    await held(trio, webinar)
    ended = await trio.shows(post, lambda now: now.props["meeting_status"] == "ENDED")
    assert ended.message.startswith("The Zoom webinar ")


async def test_a_shared_webinar_is_ended_as_one(trio: World) -> None:
    webinar = planned(trio, "bob", topic="Town hall", kind=WEBINAR)
    post = await trio.ask("bob", "dev", f"@zoom join {webinar.id}")
    await trio.zoom.start(webinar.id)
    await trio.shows(post, lambda now: now.props["meeting_status"] == "STARTED")
    assert await told(trio, "bob", "dev", "@zoom end") == "The webinar Town hall has ended."


async def test_a_webinar_of_somebody_else_is_not_shown(trio: World) -> None:
    webinar = planned(trio, "bob", topic="Secret", kind=WEBINAR)
    said = await told(trio, "carol", "dev", f"@zoom join {webinar.id}")
    assert "Zoom doesn't show me a meeting of yours" in said
    assert "Secret" not in said


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (400, {"code": 3000, "message": "Cannot access webinar info."}, True),
        (400, {"code": 3000, "message": "Cannot access meeting information."}, False),
    ],
)
async def test_zoom_s_other_way_to_say_that_it_is_a_webinar(
    trio: World, status: int, body: object, found: bool
) -> None:
    webinar = planned(trio, "bob", topic="Town hall", kind=WEBINAR)
    trio.zoom.faults.add(status, path=r"/v2/meetings/\d+$", body=body)
    post = await trio.ask("bob", "dev", f"@zoom join {webinar.id}")
    assert ("meeting_id" in post.props) is found


async def test_without_the_scope_of_webinars_a_number_is_just_not_found(trio: World) -> None:
    trio.zoom.missing_scopes(None, "webinar:read:webinar")
    said = await told(trio, "bob", "dev", "@zoom join 123 4567 8901")
    assert "Zoom doesn't show me a meeting of yours" in said
