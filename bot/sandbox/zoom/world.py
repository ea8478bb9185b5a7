"""State shared by the Zoom routes: data, switches and recorded requests."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

from bot.sandbox.faults import Faults
from bot.sandbox.zoom import ids
from bot.sandbox.zoom.accounts import Accounts
from bot.sandbox.zoom.clock import Clock, parse_iso
from bot.sandbox.zoom.failures import creation_limit, daily_limit
from bot.sandbox.zoom.meetings import MeetingStore
from bot.sandbox.zoom.models import Call, Meeting, Occurrence, User
from bot.sandbox.zoom.recordings import READY_MS, Recordings
from bot.sandbox.zoom.webhooks import WebhookSender

T = TypeVar("T")
App = Literal["user", "account", "server-to-server"]

SCOPES = (
    "meeting:write:meeting",
    "meeting:read:meeting",
    "meeting:update:meeting",
    "meeting:update:status",
    "meeting:delete:meeting",
    "meeting:read:list_meetings",
    "meeting:read:past_meeting",
    "meeting:read:list_past_participants",
    "meeting:read:list_past_instances",
    "meeting:read:summary",
    "cloud_recording:read:list_recording_files",
    "user:read:user",
    "user:read:settings",
    "webinar:write:webinar",
    "webinar:update:status",
    "webinar:read:webinar",
    "webinar:delete:webinar",
)


class World:
    """One Zoom account with one app. Tests may set the public attributes at any time."""

    def __init__(self, app: App) -> None:
        self.app: App = app
        self.client_id = f"client-{secrets.token_hex(6)}"
        self.client_secret = secrets.token_urlsafe(24)
        self.redirect_uri = ""
        self.account_id = ids.user_id()
        self.clock = Clock()
        # How far the ``Date`` of the answers is ahead of it.
        self.clock_offset_ms = 0
        self.accounts = Accounts(self.clock, self.account_id)
        self.accounts.scope = " ".join(scope + self.scope_suffix for scope in SCOPES)
        self.meeting_store = MeetingStore(self.clock, self.accounts)
        self.meeting_store.on_recorded = self._publish_later
        self.recordings = Recordings(self.clock)
        self.webhooks = WebhookSender(secrets.token_urlsafe(16), self.clock)
        self.faults = Faults()
        self.calls: list[Call] = []
        self.token_requests: list[Call] = []
        self.unknown: list[Call] = []
        # Delay before each API response, in seconds.
        self.delay = 0.0
        # Whether instant meetings are listed: those that nobody has started as scheduled and upcoming (Zoom
        # says that no list has them), those that run as live (not known).
        self.lists_waiting = False
        self.lists_running = True
        # Whether all created meetings have the host's `pmi` in the response, or only personal meetings.
        self.answers_pmi = True
        # Whether a waiting meeting is answered with the uuid of its last occurrence, or with the next one's.
        self.names_last_uuid = False
        # Fields that all answers about a meeting or webinar leave out: Zoom requires none.
        self.leaves_out: tuple[str, ...] = ()
        # Creates and updates allowed per user and day (on the sandbox's clock).
        self.daily_creates = 100
        # Returns HTML to add to a meeting's page.
        self.page_hook: Callable[[Meeting], str] | None = None
        self._withheld: dict[str | None, set[str]] = {}
        self._limited: dict[str, str] = {}
        self._made: dict[tuple[str, int], int] = {}
        self._changed = asyncio.Event()

    @property
    def scope_suffix(self) -> str:
        """The ending of the app's scopes: ``:admin`` except for user apps."""
        return "" if self.app == "user" else ":admin"

    def missing_scopes(self, email: str | None, *scopes: str) -> None:
        """Withhold scopes (without ``:admin``) from one user, or all with None. Replaces earlier ones."""
        self._withheld[email] = set(scopes)

    def lacks(self, user: User | None, scope: str) -> bool:
        withheld = self._withheld.get(None, set()) | self._withheld.get(user.email if user else "", set())
        return scope in withheld

    def daily_limit(self, email: str, until_iso: str) -> None:
        """Refuse the user's creates and updates for a daily limit that names its end, a time on the sandbox's
        clock; "" ends this."""
        self._limited[email] = until_iso

    def count_change(self, user: User) -> None:
        """Count a create or update against the daily limit. Raises ``ApiError`` 429."""
        until = self._limited.get(user.email, "")
        if until and self.clock.now_ms() < parse_iso(until):
            raise daily_limit(self.daily_creates, until)
        day = self.clock.now_ms() // 86_400_000
        made = self._made.get((user.id, day), 0)
        if made >= self.daily_creates:
            raise creation_limit(self.daily_creates)
        self._made[user.id, day] = made + 1

    def _publish_later(self, meeting: Meeting, run: Occurrence) -> None:
        """Publish recordings some time after the meeting ends, as Zoom does."""
        for what, delay_ms in READY_MS.items():
            publish = partial(self._publish, what, meeting, run)
            self.clock.at(run.ended_ms + delay_ms, publish)

    def _publish(self, what: str, meeting: Meeting, run: Occurrence) -> None:
        self.webhooks.later(self.recordings.publish(what, meeting, run))
        self.changed()

    def changed(self) -> None:
        """Wake tasks in ``wait_for``."""
        self._changed.set()

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10) -> T:  # noqa: ASYNC109
        """Return the predicate's first true value. Raises TimeoutError after ``timeout`` seconds."""
        async with asyncio.timeout(timeout):
            while not (value := predicate()):
                self._changed.clear()
                await self._changed.wait()
        return value
