"""Meetings and their state changes. Each change returns the events that Zoom would send."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable

from bot.sandbox.zoom import ids, shapes
from bot.sandbox.zoom.accounts import Accounts
from bot.sandbox.zoom.clock import Clock
from bot.sandbox.zoom.failures import no_meeting
from bot.sandbox.zoom.models import (
    INSTANT,
    PERSONAL,
    RECURRING,
    RECURRING_FIXED,
    Event,
    Json,
    Meeting,
    Occurrence,
    Participant,
    Plan,
    Take,
    User,
    Waiting,
)

# A meeting that nobody starts expires this long after its scheduled time.
UNUSED_MS = 30 * 24 * 3600 * 1000


class MeetingStore:
    """All meetings, without I/O. A change that the meeting's state does not allow raises ``ValueError``."""

    def __init__(self, clock: Clock, accounts: Accounts) -> None:
        self._clock = clock
        self._accounts = accounts
        self.url = ""
        # Whether a meeting gets its uuid only when it starts: until then it has another.
        self.renews_uuid = False
        # Whether join links carry the passcode, which an account may turn off.
        self.embeds_passcodes = True
        self.meetings: dict[int, Meeting] = {}
        self.created: list[int] = []
        self.on_recorded: Callable[[Meeting, Occurrence], None] = lambda meeting, run: None
        self._runs: dict[str, tuple[Meeting, Occurrence]] = {}
        # Session ids grow by 1024 in real meetings.
        self._session_ids = itertools.count(16_778_240, 1024)

    def create(self, host: User, plan: Plan, kind: int = INSTANT) -> Meeting:
        """Create a meeting. For type 4 return the host's personal meeting, created once."""
        if kind == PERSONAL and host.pmi in self.meetings:
            return self.meetings[host.pmi]
        number = host.pmi if kind == PERSONAL else self._free_id()
        meeting = Meeting(
            id=number,
            host=host,
            topic=plan.topic,
            type=kind,
            password=plan.password or ids.passcode(),
            join_url=self._join_url(number),
            start_url=f"{self.url}/s/{number}?zak={ids.token()}",
            current=Occurrence(uuid=ids.uuid()),
            agenda=plan.agenda,
            created_ms=self._clock.now_ms(),
            scheduled_ms=plan.scheduled_ms,
            duration=plan.duration,
            timezone=plan.timezone or host.timezone,
            settings=plan.settings,
        )
        self.meetings[number] = meeting
        self._runs[meeting.uuid] = (meeting, meeting.current)
        if kind not in (PERSONAL, RECURRING, RECURRING_FIXED):
            self._lapse(meeting)
        return meeting

    def change(self, meeting: Meeting, *, topic: str = "", password: str = "") -> list[Event]:
        """Change a meeting as on Zoom's own page. A new passcode makes a new link."""
        new: Json = {}
        old: Json = {}
        if topic:
            new["topic"], old["topic"] = topic, meeting.topic
            meeting.topic = topic
        if password:
            new["password"], old["password"] = password, meeting.password
            meeting.password, meeting.join_url = password, self._join_url(meeting.id)
        about: Json = {"id": meeting.id, "uuid": meeting.uuid}
        payload: Json = {
            "account_id": meeting.host.account_id,
            "operator": meeting.host.email,
            "operator_id": meeting.host.id,
            "scope": "all",
            "object": about | new,
            "old_object": about | old,
            "time_stamp": self._clock.now_ms(),
        }
        kind = "webinar" if meeting.webinar else "meeting"
        return [Event(name=f"{kind}.updated", payload=payload, at_ms=self._clock.now_ms())]

    def open_again(self, meeting: Meeting) -> list[Event]:
        """Start an instant meeting that ended once more: the same number, with a new uuid."""
        if meeting.status == "ended":
            meeting.status, meeting.current = "waiting", Occurrence(uuid=ids.uuid())
            self._runs[meeting.uuid] = (meeting, meeting.current)
        return self.open(meeting)

    def personal(self, host: User) -> Meeting:
        """The host's personal meeting, created if needed."""
        return self.create(host, Plan(topic=f"{host.name}'s Personal Meeting Room"), PERSONAL)

    def get(self, number: int) -> Meeting:
        """A meeting that can still be joined. Raises ``ApiError`` 404/3001 if there is none or it is over."""
        meeting = self.meetings.get(number)
        if meeting is None:
            owner = next((user for user in self._accounts.users.values() if user.pmi == number), None)
            if owner is None or not owner.pmi_enabled:
                raise no_meeting(number)
            meeting = self.personal(owner)
        if meeting.status in ("ended", "expired"):
            raise no_meeting(number)
        return meeting

    def run(self, name: str) -> tuple[Meeting, Occurrence]:
        """The occurrence with this uuid, or the last with this number. Raises ``ApiError`` 404/3001."""
        if name.isascii() and name.isdigit() and int(name) in self.meetings:
            meeting = self.meetings[int(name)]
            return meeting, meeting.last
        if name not in self._runs:
            raise no_meeting(name)
        return self._runs[name]

    def remove(self, meeting: Meeting) -> None:
        """Delete a meeting that is not in progress. Past occurrences are kept."""
        if meeting.status == "started":
            raise ValueError(f"meeting {meeting.id} is in progress")
        del self.meetings[meeting.id]
        self._runs.pop(meeting.uuid, None)

    def open(self, meeting: Meeting, *, with_host: bool = True) -> list[Event]:
        """Start the meeting and admit everyone who waited for the host."""
        if meeting.status != "waiting":
            raise ValueError(f"meeting {meeting.id} is {meeting.status}")
        if self.renews_uuid:
            self._renew(meeting)
        meeting.status = "started"
        meeting.current.started_ms = self._clock.now_ms()
        events = [self._event(meeting, meeting.current, "started")]
        if with_host:
            events += self.enter(meeting, meeting.host.name, meeting.host.email)[1]
        for waiting in meeting.lobby:
            events.append(self._lobby_event(meeting, waiting, "participant_jbh_joined"))
            events += self.enter(meeting, waiting.name, waiting.email)[1]
        meeting.lobby = []
        return events

    def enter(self, meeting: Meeting, name: str, email: str = "") -> tuple[str, list[Event]]:
        """Add a participant, matched to a user by ``email``. Returns the session's user id and the events."""
        if meeting.status != "started":
            raise ValueError(f"meeting {meeting.id} is {meeting.status}")
        known = self._accounts.find(email) if email else None
        stay = Participant(
            user_id=str(next(self._session_ids)),
            name=name,
            email=email,
            zoom_id=known.id if known else "",
            uuid=secrets.token_hex(16).upper(),
            joined_ms=self._clock.now_ms(),
        )
        meeting.current.stays.append(stay)
        return stay.user_id, [self._stay_event(meeting, stay, "participant_joined")]

    def leave(self, meeting: Meeting, user_id: str) -> list[Event]:
        """Remove a participant. The meeting ends when nobody is left."""
        stay = meeting.participants.get(user_id)
        if stay is None:
            raise ValueError(f"nobody with session {user_id} is in meeting {meeting.id}")
        stay.left_ms = self._clock.now_ms()
        events = [self._stay_event(meeting, stay, "participant_left")]
        return events if meeting.participants else events + self._finish(meeting)

    def close(self, meeting: Meeting) -> list[Event]:
        """End the meeting for all."""
        if meeting.status != "started":
            raise ValueError(f"meeting {meeting.id} is {meeting.status}")
        events = []
        for stay in meeting.participants.values():
            stay.left_ms = self._clock.now_ms()
            events.append(self._stay_event(meeting, stay, "participant_left"))
        return events + self._finish(meeting)

    def wait(self, meeting: Meeting, name: str, email: str = "") -> list[Event]:
        """Add somebody who waits for the host."""
        if meeting.status != "waiting":
            raise ValueError(f"meeting {meeting.id} is {meeting.status}")
        waiting = Waiting(name=name, email=email)
        meeting.lobby.append(waiting)
        return [self._lobby_event(meeting, waiting, "participant_jbh_waiting")]

    def record(self, meeting: Meeting) -> list[Event]:
        """Start recording."""
        if meeting.status != "started" or meeting.current.recording:
            raise ValueError(f"meeting {meeting.id} is {meeting.status} and cannot begin to be recorded")
        meeting.current.takes.append(Take(started_ms=self._clock.now_ms()))
        return [self._take_event(meeting, "started")]

    def pause(self, meeting: Meeting) -> list[Event]:
        """Pause recording."""
        take = self._take(meeting)
        if take.paused_ms:
            raise ValueError(f"the recording of meeting {meeting.id} is paused already")
        take.paused_ms = self._clock.now_ms()
        return [self._take_event(meeting, "paused")]

    def resume(self, meeting: Meeting) -> list[Event]:
        """Go on with a paused recording."""
        take = self._take(meeting)
        if not take.paused_ms:
            raise ValueError(f"the recording of meeting {meeting.id} is not paused")
        take.paused_ms = 0
        return [self._take_event(meeting, "resumed")]

    def cut(self, meeting: Meeting) -> list[Event]:
        """Stop recording."""
        take = self._take(meeting)
        take.paused_ms, take.ended_ms = 0, self._clock.now_ms()
        return [self._take_event(meeting, "stopped")]

    def _take(self, meeting: Meeting) -> Take:
        if not meeting.current.recording:
            raise ValueError(f"meeting {meeting.id} is not being recorded")
        return meeting.current.takes[-1]

    def _renew(self, meeting: Meeting) -> None:
        self._runs.pop(meeting.uuid, None)
        meeting.current.uuid = ids.uuid()
        self._runs[meeting.uuid] = (meeting, meeting.current)

    def _finish(self, meeting: Meeting) -> list[Event]:
        run = meeting.current
        events = self.cut(meeting) if run.recording else []
        run.ended_ms = self._clock.now_ms()
        meeting.past.append(run)
        events.append(self._event(meeting, run, "ended"))
        if run.takes:
            self.on_recorded(meeting, run)
        if meeting.type == INSTANT:
            meeting.status = "ended"
            return events
        # The next occurrence has the same number but a new uuid.
        meeting.status = "waiting"
        meeting.current = Occurrence(uuid=ids.uuid())
        self._runs[meeting.uuid] = (meeting, meeting.current)
        return events

    def _event(self, meeting: Meeting, run: Occurrence, name: str, extra: Json | None = None) -> Event:
        kind = "webinar" if meeting.webinar else "meeting"
        shape = shapes.event_object(meeting, run) | (extra or {})
        payload: Json = {"account_id": meeting.host.account_id, "object": shape}
        return Event(name=f"{kind}.{name}", payload=payload, at_ms=self._clock.now_ms())

    def _stay_event(self, meeting: Meeting, stay: Participant, name: str) -> Event:
        return self._event(meeting, meeting.current, name, {"participant": shapes.event_participant(stay)})

    def _take_event(self, meeting: Meeting, name: str) -> Event:
        shape = shapes.event_take(meeting, meeting.current)
        payload: Json = {"account_id": meeting.host.account_id, "object": shape}
        return Event(name=f"recording.{name}", payload=payload, at_ms=self._clock.now_ms())

    def _lobby_event(self, meeting: Meeting, waiting: Waiting, event: str) -> Event:
        participant: Json = {"user_name": waiting.name}
        if known := self._accounts.find(waiting.email):
            participant["id"] = known.id
        return self._event(meeting, meeting.current, event, {"participant": participant})

    def _lapse(self, meeting: Meeting) -> None:
        """Expire a meeting that nobody started in time, or schedule the check for that time."""
        if meeting.status != "waiting" or meeting.past:
            return
        until_ms = max(meeting.created_ms, meeting.scheduled_ms) + UNUSED_MS
        if self._clock.now_ms() < until_ms:
            self._clock.at(until_ms, lambda: self._lapse(meeting))
        else:
            meeting.status = "expired"

    def _join_url(self, number: int) -> str:
        passcode = f"?pwd={secrets.token_urlsafe(24)}.1" if self.embeds_passcodes else ""
        return f"{self.url}/j/{number}{passcode}"

    def _free_id(self) -> int:
        while (number := ids.meeting_id()) in self.meetings:
            pass
        return number
