"""Recordings, chats and transcripts come under the meeting's post, once, to whom they are meant for."""

from __future__ import annotations

import pytest

from bot.sandbox.zoom.models import Delivery, Json
from tests.conftest import MakeWorld, World
from tests.features.kit import (
    App,
    as_app,
    ask,
    content,
    direct,
    held,
    planned,
    replies,
    settle,
    with_stranger,
)


def delivered(world: World, event: str) -> Delivery:
    return next(each for each in world.zoom.deliveries if each.event == event)


async def test_a_recording_is_one_reply_with_its_link(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    link, chat = replies(trio, post)
    assert f"{trio.zoom.url}/rec/share/{meeting.last.share_id}" in link.message
    assert meeting.last.passcode not in link.message
    (card,) = link.props["attachments"]
    assert card["title_link"] == f"{trio.zoom.url}/rec/share/{meeting.last.share_id}"
    assert meeting.last.passcode not in str(link.props)
    assert [field["title"] for field in card["fields"]][:1] == ["Recorded"]
    assert "chat" in chat.message
    assert content(trio, chat) == next(file.content for file in meeting.last.files if file.type == "CHAT")


async def test_a_transcript_is_a_file_under_the_post(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.transcribe(meeting.id)
    await settle(trio)
    (reply,) = replies(trio, post)
    assert content(trio, reply).startswith(b"WEBVTT")


async def test_a_recording_of_a_meeting_in_a_thread_goes_to_that_thread(trio: World) -> None:
    root = await trio.mattermost.post("carol", "dev", "a talk")
    post = await trio.ask("bob", "dev", "@zoom standup", root_id=root.id)
    meeting = trio.zoom.meetings[post.props["meeting_id"]]
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    assert len(replies(trio, root)) == 3


async def test_what_comes_twice_is_said_once_even_after_a_restart(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    await trio.zoom.transcribe(meeting.id)
    await trio.zoom.summarize(meeting.id)
    await settle(trio)
    said = len(replies(trio, post))
    assert said == 4
    await trio.stop()
    await trio.start()
    for event in ("recording.completed", "recording.transcript_completed", "meeting.summary_completed"):
        first = delivered(trio, event)
        await trio.zoom.redeliver(first)
        # Zoom may make a new event of the same news.
        body = first.body.replace(b'"event_ts":1', b'"event_ts":2')
        assert body != first.body
        again = await trio.zoom.deliver(event, {}, raw=body)
        assert again.status == 200
    await settle(trio)
    assert len(replies(trio, post)) == said


async def test_a_recording_before_the_end_and_days_later_is_right_all_the_same(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    await trio.zoom.record(meeting.id)
    await trio.mattermost.wait_for(lambda: len(replies(trio, post)) == 2)
    await trio.zoom.end(meeting.id)
    other, late = await trio.meeting("bob", topic="retro")
    await held(trio, late)
    trio.zoom.clock.advance(5 * 24 * 3600)
    await trio.zoom.record(late.id)
    await settle(trio)
    assert len(replies(trio, other)) == 2
    assert len(replies(trio, post)) == 2


async def test_a_recording_waits_until_the_meeting_is_posted(trio: World) -> None:
    trio.mattermost.faults.add(status=503, times=3, method="POST", path=r"/posts$")
    asked = await trio.mattermost.post("bob", "dev", "@zoom standup")
    await trio.zoom.wait_for(lambda: trio.zoom.created)
    meeting = trio.zoom.meetings[trio.zoom.created[0]]
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    post = await trio.answer_to(asked)
    await settle(trio)
    assert len(replies(trio, post)) == 2


async def test_the_passcode_is_shown_only_where_it_is_configured(make_world: MakeWorld) -> None:
    world = await with_stranger(await make_world(meetings={"post_recordings": "link-and-passcode"}))
    post, meeting = await world.meeting("bob")
    await held(world, meeting)
    await world.zoom.record(meeting.id)
    await settle(world)
    assert f"`{meeting.last.passcode}`" in replies(world, post)[0].message


async def test_host_only_tells_the_host_and_nobody_else(make_world: MakeWorld) -> None:
    world = await with_stranger(await make_world(meetings={"post_recordings": "host-only"}))
    post, meeting = await world.meeting("bob")
    await held(world, meeting)
    await world.zoom.record(meeting.id)
    await world.zoom.transcribe(meeting.id)
    await world.zoom.summarize(meeting.id)
    await settle(world)
    assert replies(world, post) == []
    said = direct(world, "bob")
    assert len(said) == 4
    assert any(meeting.last.passcode in message for message in said)
    cards = [post.props.get("attachments") for post in world.mattermost.bot_posts(world.direct("bob"))]
    assert [card[0]["title"] for card in cards if card] == ["Watch the recording"]
    assert direct(world, "carol") == direct(world, "mallory") == []


async def test_none_posts_neither_link_nor_files(make_world: MakeWorld) -> None:
    world = await with_stranger(await make_world(meetings={"post_recordings": "none", "summaries": False}))
    post, meeting = await world.meeting("bob")
    await held(world, meeting)
    await world.zoom.record(meeting.id)
    await world.zoom.transcribe(meeting.id)
    await world.zoom.summarize(meeting.id)
    await settle(world)
    assert replies(world, post) == []
    assert direct(world, "bob") == []


async def test_without_transcripts_only_the_link_is_posted(make_world: MakeWorld) -> None:
    world = await with_stranger(await make_world(meetings={"transcripts": False}))
    post, meeting = await world.meeting("bob")
    await held(world, meeting)
    await world.zoom.record(meeting.id)
    await world.zoom.transcribe(meeting.id)
    await settle(world)
    assert len(replies(world, post)) == 1


async def test_a_download_that_fails_at_first_is_tried_again(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    trio.zoom.faults.add(status=503, times=1, method="GET", path=r"/rec/download/")
    await trio.zoom.record(meeting.id)
    await trio.mattermost.wait_for(lambda: len(replies(trio, post)) == 2)


async def test_a_download_that_is_refused_does_not_hold_up_the_link(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    trio.zoom.faults.add(status=404, times=9, method="GET", path=r"/rec/download/")
    await trio.zoom.record(meeting.id)
    await settle(trio)
    link, kept = replies(trio, post)
    assert "recording" in link.message
    assert "stays in Zoom" in kept.message


async def test_without_a_download_token_the_host_s_own_is_used(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    trio.zoom.recordings.gives_tokens = False
    trio.zoom.expire_tokens("bob@demo.example")
    await trio.zoom.transcribe(meeting.id)
    await settle(trio)
    assert content(trio, replies(trio, post)[0]).startswith(b"WEBVTT")


def recording(world: World, meeting: Json, *, download_url: str, share_url: str = "") -> Json:
    file: Json = {"id": "f1", "file_type": "CHAT", "download_url": download_url}
    return {"object": {**meeting, "share_url": share_url, "recording_files": [file]}}


@pytest.mark.parametrize(
    "url",
    [
        "http://zoom.us/rec/download/1",
        "https://zoom.us.evil.example/rec/download/1",
        "https://evil.example/zoom.us/1",
        "http://127.0.0.2:1/rec/download/1",
        "file:///etc/passwd",
        "nonsense",
    ],
)
async def test_nothing_is_downloaded_from_elsewhere(trio: World, url: str) -> None:
    post, meeting = await trio.meeting("bob")
    about: Json = {"id": meeting.id, "uuid": meeting.uuid, "host_id": meeting.host_id}
    share = "https://acme.zoom.us/rec/share/1?pwd=secret"
    payload = recording(trio, about, download_url=url, share_url=share)
    done = await trio.zoom.deliver("recording.completed", payload, download_token="d")
    assert done.status == 200
    await settle(trio)
    link, kept = replies(trio, post)
    assert "https://acme.zoom.us/rec/share/1" in link.message
    assert "secret" not in link.message
    assert "stays in Zoom" in kept.message


async def test_a_recording_of_a_meeting_that_was_not_announced_is_nobody_s(trio: World) -> None:
    await trio.meeting("bob")
    before = len(trio.mattermost.bot_posts())
    meeting = planned(trio, "bob")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    assert len(trio.mattermost.bot_posts()) == before


async def test_an_earlier_recording_of_a_shared_personal_room_stays_private(trio: World) -> None:
    room = trio.zoom.meeting_store.personal(trio.zoom.user("bob@demo.example"))
    await held(trio, room)
    secret = room.past[-1]
    post = await trio.ask("bob", "dev", "@zoom join me")
    trio.zoom.clock.advance(-3600)
    about: Json = {"id": room.id, "uuid": secret.uuid, "host_id": room.host_id}
    payload: Json = {
        "object": {**about, "share_url": "https://zoom.us/rec/share/1", "start_time": "2020-01-01T00:00:00Z"}
    }
    await trio.zoom.deliver("recording.completed", payload)
    await settle(trio)
    assert replies(trio, post) == []


async def test_a_summary_is_a_reply_that_mentions_nobody(trio: World) -> None:
    post, meeting = await trio.meeting("bob", topic="retro")
    await held(trio, meeting)
    await trio.zoom.summarize(meeting.id, deliver=False)
    assert meeting.last.summary is not None
    details = [{"label": "@all", "summary": "# no heading ![x](http://evil.example/x.png)"}]
    about: Json = {"meeting_id": meeting.id, "meeting_uuid": meeting.last.uuid}
    payload: Json = {"object": {**about, **meeting.last.summary, "summary_details": details}}
    await trio.zoom.deliver("meeting.summary_completed", payload)
    await settle(trio)
    (reply,) = replies(trio, post)
    assert "Alice writes the release notes." in reply.message
    assert "@all" not in reply.message
    assert "![x]" not in reply.message


@pytest.mark.parametrize("where", ["summary_content", "summary_overview"])
async def test_a_summary_keeps_its_lines_and_is_cut_after_one(trio: World, where: str) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    about: Json = {"meeting_id": meeting.id, "meeting_uuid": meeting.last.uuid}
    text = "# Recap\r\nWe met @all.\n\n- Bob: tests\n===\n" + "the rest\n" * 2000
    await trio.zoom.deliver("meeting.summary_completed", {"object": about | {where: text}})
    await settle(trio)
    (reply,) = replies(trio, post)
    shown = reply.message.replace("\u200b", "").replace("\\", "").splitlines()
    literal = ["", "# Recap", "We met @all.", "", "- Bob: tests", "==="]
    rendered = ["", "**Recap**", "", "We met @all.", "", "- Bob: tests"]
    assert shown[1:7] == (rendered if where == "summary_content" else literal)
    assert set(shown[7:]) == {"the rest", "", "… The rest is in Zoom."}
    assert "@all" not in reply.message


async def test_a_summary_in_markdown_reads_well_and_leads_nowhere(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    about: Json = {"meeting_id": meeting.id, "meeting_uuid": meeting.last.uuid}
    content = (
        "## Quick recap\nThe **budget** was __cut__ by @all.\n\n### Next steps\n* Ann: [call](http://evil.example)\n"
        "  - ![x](http://evil.example/x.png) a `test`\n1. **Bob:** *now* `@here`\n---\nhttp://evil.example <b> ~x~"
    )
    new: Json = {"summary_details": [], "next_steps": [], "summary_content": content}
    document = "https://docs.zoom.us/doc/1?a=(b)"
    payload: Json = {"object": about | new | {"summary_doc_url": document}}
    await trio.zoom.deliver("meeting.summary_completed", payload)
    await settle(trio)
    (reply,) = replies(trio, post)
    lines = reply.message.replace("\u200b", "").splitlines()
    assert lines[2:10] == [
        "**Quick recap**",
        "",
        "The **budget** was **cut** by @all.",
        "",
        "**Next steps**",
        "",
        "- Ann: call",
        "  - x a test",
    ]
    assert lines[10].startswith("1. **Bob:** now @here")
    assert lines[-1] == "[Read it in Zoom](https://docs.zoom.us/doc/1?a=%28b%29)"
    for hidden in ("@all", "@here", "http://evil", "](http://", "##", "__"):
        assert hidden not in reply.message


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"summary_doc_url": "https://docs.zoom.us/doc/1"}, "[Read it in Zoom](https://docs.zoom.us/doc/1)"),
        (
            {"summary_details": ["We met.", 7, {"label": 5, "summary": "Done."}]},
            "We met.\n\n7\n\n**5**\nDone.",
        ),
        ({"summary_overview": 42, "next_steps": "none"}, "42"),
        ({"summary_doc_url": "javascript:alert(1)", "summary_overview": "Ok"}, "Ok"),
        ({"summary_content": "# All", "summary_overview": "Some", "next_steps": ["a step"]}, "**All**"),
        ({"summary_content": " ", "next_steps": ["a step"]}, "**Next steps**\n- a step"),
        (
            {"summary_content": '***Both***, _slanted_ a_b_c [it](https://e.example "title")'},
            r"**Both**, slanted a\_b\_c it",
        ),
    ],
)
async def test_of_a_summary_in_any_form_what_there_is_is_shown(trio: World, parts: Json, said: str) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    about: Json = {"meeting_id": meeting.id, "meeting_uuid": meeting.last.uuid}
    await trio.zoom.deliver("meeting.summary_completed", {"object": about | parts})
    await settle(trio)
    (reply,) = replies(trio, post)
    assert reply.message == f"**Summary of standup**\n\n{said}"


async def test_a_forged_recording_is_refused(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    about: Json = {"id": meeting.id, "uuid": meeting.uuid, "host_id": meeting.host_id}
    payload = recording(trio, about, download_url="https://zoom.us/1", share_url="https://zoom.us/rec/1")
    refused = await trio.zoom.deliver("recording.completed", payload, secret="guess")
    assert refused.status == 403
    await settle(trio)
    assert replies(trio, post) == []


async def test_a_recording_goes_to_every_post_of_the_meeting(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    other = await trio.ask("bob", "town-square", f"@zoom join {meeting.id}")
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    assert len(replies(trio, post)) == len(replies(trio, other)) == 2


async def test_what_was_taken_in_is_said_after_a_crash_and_once(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await settle(trio)
    trio.mattermost.faults.add(status=503, times=2, method="POST", path=r"/(posts|files)$", after=True)
    await trio.zoom.record(meeting.id)
    await trio.stop()
    await trio.start()
    await settle(trio)
    assert len(replies(trio, post)) == 2


@pytest.mark.parametrize("app", ["account", "server-to-server"])
async def test_the_host_alone_is_told_of_a_meeting_that_an_administrator_subscribed(
    make_world: MakeWorld, app: App
) -> None:
    world = await as_app(await make_world(start=False, meetings={"post_recordings": "host-only"}), app)
    meeting = planned(world, "bob", "Salaries")
    await ask(world, "alice", "dev", f"@zoom subscribe {meeting.id}")
    await held(world, meeting)
    await world.zoom.record(meeting.id)
    await world.zoom.summarize(meeting.id)
    await settle(world)
    assert len(direct(world, "bob")) == 3
    assert direct(world, "alice") == []


@pytest.mark.parametrize("email", ["", "nobody@demo.example", "@demo.example", "../me"])
async def test_a_host_whose_e_mail_is_nobody_s_here_is_not_told_and_nobody_else(
    make_world: MakeWorld, email: str
) -> None:
    meetings = {"post_recordings": "host-only"}
    world = await as_app(await make_world(start=False, meetings=meetings), "server-to-server")
    meeting = planned(world, "bob", "Salaries")
    await ask(world, "alice", "dev", f"@zoom subscribe {meeting.id}")
    await held(world, meeting)
    about: Json = {"id": meeting.id, "uuid": meeting.last.uuid, "host_id": meeting.host_id}
    payload: Json = {"object": about | {"host_email": email, "share_url": "https://zoom.us/rec/share/1"}}
    done = await world.zoom.deliver("recording.completed", payload)
    await settle(world)
    assert done.status == 200
    assert direct(world, "alice") == direct(world, "bob") == []


def part(begin: str, end: str, id: str) -> Json:
    """A part of a recording on one morning."""
    day = "2026-03-02T"
    times = {"recording_start": f"{day}{begin}:00Z", "recording_end": f"{day}{end}:00Z"}
    return {"id": id, "file_type": "MP4", "status": "completed", **times}


FIRST, SECOND = part("09:00", "09:10", "1"), part("09:20", "09:25", "2")


@pytest.mark.parametrize("second", [[FIRST, SECOND], [SECOND]])
@pytest.mark.parametrize("restarted", [False, True])
async def test_a_recording_that_was_begun_again_is_one_reply_with_all_its_time(
    trio: World, second: list[Json], restarted: bool
) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    about: Json = {"id": meeting.id, "uuid": meeting.last.uuid, "host_id": meeting.host_id}
    about["share_url"] = "https://zoom.us/rec/share/1"
    lengths = []
    for ts, found in (
        (1_000_000_000_000, [FIRST]),
        (1_000_000_000_001, second),
        (1_000_000_000_002, [FIRST]),
    ):
        payload: Json = {"object": about | {"recording_files": found}}
        await trio.zoom.deliver("recording.completed", payload, event_ts=ts)
        await settle(trio)
        (reply,) = replies(trio, post)
        (card,) = reply.props["attachments"]
        lengths.append({field["title"]: field["value"] for field in card["fields"]}["Duration"])
        if restarted:
            await trio.stop()
            await trio.start()
    assert lengths == ["10 min", "15 min", "15 min"]


async def test_a_recording_with_another_link_is_another_reply(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    about: Json = {"id": meeting.id, "uuid": meeting.last.uuid, "host_id": meeting.host_id}
    for ts, link, found in ((1, "1", FIRST), (2, "2", SECOND), (3, "2", SECOND), (4, "1", FIRST)):
        told: Json = {"share_url": f"https://zoom.us/rec/share/{link}", "recording_files": [found]}
        at = 1_000_000_000_000 + ts
        await trio.zoom.deliver("recording.completed", {"object": about | told}, event_ts=at)
        await settle(trio)
    lengths = [
        {field["title"]: field["value"] for field in reply.props["attachments"][0]["fields"]}["Duration"]
        for reply in replies(trio, post)
    ]
    assert sorted(lengths) == ["10 min", "5 min"]
