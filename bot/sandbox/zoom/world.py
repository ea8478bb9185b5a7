"""Everything the routes of the sandbox share: state, switches and the record of what was asked."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

from bot.sandbox.faults import Faults
from bot.sandbox.zoom import names
from bot.sandbox.zoom.accounts import Accounts
from bot.sandbox.zoom.clock import Clock, iso, parse_iso
from bot.sandbox.zoom.failures import daily_limit
from bot.sandbox.zoom.models import Call, Meeting, Occurrence, User
from bot.sandbox.zoom.recordings import READY_MS, Shelf
from bot.sandbox.zoom.rooms import Rooms
from bot.sandbox.zoom.webhooks import Courier

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
    "meeting:read:summary",
    "cloud_recording:read:list_recording_files",
    "user:read:user",
    "user:read:settings",
    "webinar:write:webinar",
    "webinar:read:webinar",
    "webinar:delete:webinar",
)


class World:
    """One Zoom account with one app. Attributes are the switches; they may be changed at any time."""

    def __init__(self, app: App) -> None:
        self.app: App = app
        self.client_id = f"client-{secrets.token_hex(6)}"
        self.client_secret = secrets.token_urlsafe(24)
        self.redirect_uri = ""
        self.account_id = names.user_id()
        self.clock = Clock()
        self.accounts = Accounts(self.clock, self.account_id)
        self.accounts.scope = " ".join(scope + self.scope_suffix for scope in SCOPES)
        self.rooms = Rooms(self.clock, self.accounts)
        self.rooms.on_recorded = self._publish_later
        self.shelf = Shelf(self.clock)
        self.courier = Courier(secrets.token_urlsafe(16), self.clock)
        self.faults = Faults()
        self.calls: list[Call] = []
        self.token_requests: list[Call] = []
        self.unknown: list[Call] = []
        # Seconds before each answer of the API.
        self.delay = 0.0
        # Whether an instant meeting that waits is listed as scheduled and upcoming.
        self.lists_waiting = True
        # Whether every created meeting's answer carries the host's `pmi`, or only those in the personal room.
        self.answers_pmi = True
        # Meetings one user may create or update per day (of the sandbox's clock).
        self.daily_creates = 100
        # Adds HTML of the caller's own to a meeting's page.
        self.page_hook: Callable[[Meeting], str] | None = None
        self._withheld: dict[str | None, set[str]] = {}
        self._limited: dict[str, str] = {}
        self._made: dict[tuple[str, int], int] = {}
        self._changed = asyncio.Event()

    @property
    def scope_suffix(self) -> str:
        """What the app's scopes end in."""
        return "" if self.app == "user" else ":admin"

    def missing_scopes(self, email: str | None, *scopes: str) -> None:
        """Withhold granular scopes (without ``:admin``) from one user or all; none lifts it."""
        self._withheld[email] = set(scopes)

    def lacks(self, user: User | None, scope: str) -> bool:
        """Whether ``scope`` is withheld from the user."""
        withheld = self._withheld.get(None, set()) | self._withheld.get(user.email if user else "", set())
        return scope in withheld

    def daily_limit(self, email: str, until_iso: str) -> None:
        """Refuse the user's creates and updates until then (sandbox's clock); an empty text lifts it."""
        self._limited[email] = until_iso

    def count_change(self, user: User) -> None:
        """Count a create or update against the daily limit. Raises ``ApiError`` 429."""
        until = self._limited.get(user.email, "")
        if until and self.clock.now_ms() < parse_iso(until):
            raise daily_limit(self.daily_creates, until)
        day = self.clock.now_ms() // 86_400_000
        made = self._made.get((user.id, day), 0)
        if made >= self.daily_creates:
            raise daily_limit(self.daily_creates, iso((day + 1) * 86_400_000))
        self._made[user.id, day] = made + 1

    def _publish_later(self, meeting: Meeting, run: Occurrence) -> None:
        """As at Zoom, what was recorded takes a while after the meeting to be ready."""
        for what, delay_ms in READY_MS.items():
            publish = partial(self._publish, what, meeting, run)
            self.clock.at(run.ended_ms + delay_ms, publish)

    def _publish(self, what: str, meeting: Meeting, run: Occurrence) -> None:
        self.courier.later(self.shelf.publish(what, meeting, run))
        self.changed()

    def changed(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10) -> T:  # noqa: ASYNC109
        """Ask ``predicate`` after every request and delivery until it holds; returns its value."""
        async with asyncio.timeout(timeout):
            while not (value := predicate()):
                self._changed.clear()
                await self._changed.wait()
        return value
