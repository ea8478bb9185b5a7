"""What a run must not have cost, counted from outside: at Mattermost, at Zoom, and in the store it left."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from bot.clock import now_ms
from bot.domain.records import Item, ItemState, Meeting
from bot.errors import StoreError
from bot.sandbox.mattermost import Post
from bot.sandbox.zoom import Meeting as ZoomMeeting
from bot.sandbox.zoom import Zoom
from bot.stores.opening import open_store
from tests.chaos.crowd import Crowd

# Zoom tells its times in whole seconds.
TOLERANCE_MS = 2000

# A task that was due this long before the end should have been done.
OVERDUE_MS = 10_000


@dataclass
class Figures:
    """The counts of one run. ``breaches`` is what must be zero and is not."""

    kills: int = 0
    seconds: float = 0.0
    mentions: int = 0
    webhooks_acknowledged: int = 0
    meetings_created: int = 0
    bot_posts: int = 0
    tokens_refreshed: int = 0
    # Zoom changed a person's tokens and the process died before they were written: they connected again.
    links_lost: int = 0
    # Zoom made a meeting, the process died before it was written down, and Zoom did not list it yet.
    meetings_made_twice: int = 0
    slowest_answer_s: float = 0.0
    slowest_recovery_s: float = 0.0
    must_be_zero: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def breaches(self) -> dict[str, int]:
        """What must be zero and is not."""
        return {name: count for name, count in self.must_be_zero.items() if count}

    def count(self, name: str, found: list[str]) -> None:
        """Note what must not be; the first few are kept as examples."""
        self.must_be_zero[name] = len(found)
        if found:
            self.examples[name] = found[:5]

    def lines(self) -> list[str]:
        """The report."""
        rows: list[tuple[str, object]] = [
            ("kills", self.kills),
            ("duration (s)", round(self.seconds)),
            ("mentions", self.mentions),
            ("meetings created at Zoom", self.meetings_created),
            ("posts of the bot", self.bot_posts),
            ("webhooks acknowledged", self.webhooks_acknowledged),
            ("tokens refreshed", self.tokens_refreshed),
            ("slowest answer, deaths included (s)", round(self.slowest_answer_s, 1)),
            ("last start until all was settled (s)", round(self.slowest_recovery_s, 1)),
            ("named window: meetings made twice, the spare one removed", self.meetings_made_twice),
            ("named window: links lost between Zoom's change and our note", self.links_lost),
            *self.must_be_zero.items(),
        ]
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value:>7}" for name, value in rows]
        for name, examples in self.examples.items():
            lines += [f"  {name}: {example}" for example in examples]
        return lines


def is_settled(crowd: Crowd) -> bool:
    """Whether every mention has its answer, every post is true, and nothing is left over at Zoom."""
    return not (crowd.owed() or _untrue(crowd) or _left_over(crowd))


async def judge(crowd: Crowd, store: str, figures: Figures) -> None:
    """Count everything, after the last process stopped."""
    zoom = crowd.zoom
    figures.mentions = sum(asked.answers for asked in crowd.asked.values())
    figures.meetings_created = len(zoom.created)
    figures.bot_posts = len(crowd.mattermost.bot_posts())
    figures.tokens_refreshed, figures.links_lost = zoom.refreshes, zoom.refresh_refused
    figures.slowest_answer_s = max(
        (at - crowd.asked[id].at for id, at in crowd.answered_at.items() if id in crowd.asked), default=0.0
    )
    _count_answers(crowd, figures)
    made = _made_per_mention(zoom)
    figures.meetings_made_twice = sum(count - 1 for count in made.values())
    figures.count("meetings left over at Zoom", _left_over(crowd))
    figures.count("posts that do not show the truth", _untrue(crowd))
    figures.count(
        "requests that no server knows", [str(each) for each in (*zoom.unknown, *crowd.mattermost.unknown)]
    )
    await _read_store(crowd, store, figures)


def _count_answers(crowd: Crowd, figures: Figures) -> None:
    answers: dict[str, list[Post]] = defaultdict(list)
    for post in crowd.mattermost.bot_posts():
        answers[str(post.props.get("zoombot_trigger", ""))].append(post)
    missing, doubled, unasked = [], [], []
    for id, asked in crowd.asked.items():
        found = answers.get(id, [])
        if len(found) < asked.answers:
            missing.append(f"{id} {asked.post.message}")
        elif not asked.answers and found:
            unasked.append(f"{id} {asked.post.message}")
        elif _is_doubled(found):
            doubled.append(f"{id} {asked.post.message}: {[post.message[:40] for post in found]}")
    figures.count("mentions without an answer", missing)
    figures.count("mentions with two answers", doubled)
    figures.count("answers to what was no mention", unasked)


# A request to connect, and what it says once its link was used or has expired.
_INVITING = ("/oauth2/connect", "The link that was here")


def _is_doubled(found: list[Post]) -> bool:
    """A request to connect first, and the meeting once that was done, are one answer in two parts. Whoever
    loses the link again in between is asked again, by a notice of its own."""
    meetings = sum("meeting_id" in post.props for post in found)
    answers = sum(not any(words in post.message for words in _INVITING) for post in found)
    notices = {post.props.get("zoombot_id") for post in found}
    return meetings > 1 or answers > 1 or len(notices) < len(found)


def _made_per_mention(zoom: Zoom) -> Counter[str]:
    """How many meetings Zoom made for each reference."""
    made: Counter[str] = Counter()
    for call in zoom.calls:
        if call.method == "POST" and call.path.endswith("/meetings") and isinstance(call.json, dict):
            # 0: it was made, and the answer was cut off. A fault before it was made has another status.
            made[str(call.json["agenda"])] += call.status in (0, 201)
    return Counter({agenda: count for agenda, count in made.items() if count})


def _left_over(crowd: Crowd) -> list[str]:
    """Meetings that wait at Zoom although no post leads to them."""
    announced = {post.props.get("meeting_id") for post in crowd.mattermost.bot_posts()}
    return [
        f"{meeting.id} {meeting.topic} {meeting.agenda}"
        for meeting in crowd.zoom.meetings.values()
        if meeting.id not in announced
    ]


def _untrue(crowd: Crowd) -> list[str]:
    found = []
    for post in crowd.mattermost.bot_posts():
        number = post.props.get("meeting_id")
        if isinstance(number, int) and (lie := _lie(post.props, crowd.zoom.meetings.get(number))):
            found.append(f"{post.id}: {lie}")
    return found


def _lie(props: dict[str, Any], meeting: ZoomMeeting | None) -> str:
    """What a post says that is not so; empty if all of it is."""
    if meeting is None:
        return "the meeting does not exist"
    status = {"waiting": "WAITING", "started": "STARTED", "ended": "ENDED"}[meeting.status]
    expected = {
        "meeting_status": status,
        "meeting_uuid": meeting.uuid,
        "meeting_link": meeting.join_url,
        "meeting_topic": meeting.topic,
    }
    for name, value in expected.items():
        if props.get(name) != value:
            return f"{name} is {props.get(name)!r}, and {value!r} at Zoom"
    ended = int(props.get("meeting_end_time") or 0)
    if status == "ENDED" and abs(ended - meeting.last.ended_ms) > TOLERANCE_MS:
        return f"meeting_end_time is {ended}, and {meeting.last.ended_ms} at Zoom"
    return ""


async def _read_store(crowd: Crowd, url: str, figures: Figures) -> None:
    try:
        store = await open_store(url, readonly=True)
    except StoreError as error:
        figures.count("unreadable stores", [str(error)])
        return
    figures.count("unreadable stores", [])
    try:
        waiting = await store.find(Item, "state", ItemState.WAITING)
        dead = await store.find(Item, "state", ItemState.DEAD)
        # A task that is due later may wait, until then.
        late = [item for item in waiting if item.due_at < now_ms() - OVERDUE_MS]
        figures.count("items still waiting", [f"{item.id} {item.kind}" for item in late])
        figures.count("items set aside", [f"{item.id} {item.kind} {item.error}" for item in dead])
        records = {meeting.uuid: meeting for meeting in await store.all(Meeting)}
        _count_lost_webhooks(crowd, records, figures)
    finally:
        await store.close()


def _count_lost_webhooks(crowd: Crowd, records: dict[str, Meeting], figures: Figures) -> None:
    """Every acknowledged webhook must have left its mark on the record of its meeting."""
    lost, taken, acknowledged = [], [], 0
    for delivery in crowd.zoom.deliveries:
        if not delivery.accepted:
            continue
        acknowledged += 1
        body = json.loads(delivery.body)
        about = body["payload"]["object"]
        if about["uuid"] in crowd.foreign:
            if about["uuid"] in records:
                taken.append(about["uuid"])
        elif not _is_marked(records.get(about["uuid"]), body["event"], about):
            lost.append(f"{body['event']} of {about['uuid']}")
    figures.webhooks_acknowledged = acknowledged
    figures.count("acknowledged webhooks lost", sorted(set(lost)))
    figures.count("foreign meetings taken in", taken)


def _is_marked(record: Meeting | None, event: str, about: dict[str, Any]) -> bool:
    if record is None:
        return False
    session = str(about.get("participant", {}).get("user_id", ""))
    match event:
        case "meeting.started":
            return record.started_at > 0
        case "meeting.ended":
            return record.ended_at > 0
        case "meeting.participant_joined":
            return session in record.joined
        case "meeting.participant_left":
            return session in record.left
    return True
