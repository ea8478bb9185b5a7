"""Since when each other replica has not moved."""

from __future__ import annotations

import time

from bot.stores.claims import ClaimTimings
from bot.stores.postgresql.replicas import View


class Silence:
    """Tells which replicas are dead. No clocks are compared: only how long their beats stood still here."""

    def __init__(self, timing: ClaimTimings) -> None:
        self._timing = timing
        # Of each other replica: its beats and whether it is connected, and since when that is so.
        self._since: dict[int, tuple[tuple[int, bool], float]] = {}
        self._back_at = float("-inf")

    def forget(self) -> None:
        """Begin anew: while the database is away, nobody's beats can count up."""
        self._since.clear()

    def note_return(self) -> None:
        """The own connection was lost: the others' may have been, too."""
        self._back_at = time.monotonic()
        self.forget()

    def dead(self, view: View, own: int) -> dict[int, int]:
        """The replicas that have been silent for too long, with the beats at which they stand still."""
        now, before = time.monotonic(), self._since
        seen = {number: (beats, number in view.connected) for number, beats in view.beats.items()}
        seen.pop(own, None)
        self._since = {
            number: before[number] if before.get(number, (None,))[0] == each else (each, now)
            for number, each in seen.items()
        }
        return {
            number: beats
            for number, ((beats, is_connected), since) in self._since.items()
            if now - since >= self._patience_s(is_connected, now)
        }

    def _patience_s(self, is_connected: bool, now: float) -> float:
        is_gone = not is_connected and now - self._back_at >= self._timing.return_s
        return self._timing.gone_s if is_gone else self._timing.dead_s
