"""Exchanges of Zoom's codes: each code is taken once, also where the store does not answer in between."""

from __future__ import annotations

from collections.abc import MutableMapping

from cachetools import TTLCache

from bot.zoom import Grant, ZoomUser

# How many interrupted exchanges are remembered, and for how many seconds: as long as a ticket is valid.
MAX_KEPT = 1000
KEPT_S = 600.0


class Exchanges:
    """What was begun for a ticket's code and is not written down yet.

    Zoom takes a code once, so what it gave must not be lost because the store did not answer: the browser
    asks again.
    """

    def __init__(self) -> None:
        self._begun: MutableMapping[str, tuple[Grant, ZoomUser] | None] = TTLCache(MAX_KEPT, KEPT_S)

    def begin(self, ticket: str) -> None:
        """Note that this ticket is being used up."""
        self._begun[ticket] = None

    def note(self, ticket: str, grant: Grant, user: ZoomUser) -> None:
        """Note what Zoom gave for the ticket's code."""
        self._begun[ticket] = grant, user

    def end(self, ticket: str) -> None:
        """Forget what the store knows by now, or Zoom has refused."""
        self._begun.pop(ticket, None)

    def is_begun(self, ticket: str) -> bool:
        """Whether an exchange for this ticket was begun and not ended."""
        return ticket in self._begun

    def given(self, ticket: str) -> tuple[Grant, ZoomUser] | None:
        """What Zoom gave for the ticket's code; None if it was not asked yet."""
        return self._begun.get(ticket)
