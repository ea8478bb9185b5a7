"""How long the pause between two edits of one post is. Pure; times are in seconds of any clock that grows."""

from __future__ import annotations

from dataclasses import dataclass

# One post, or all edits at once, may keep Mattermost busy for half of the time.
_SHARE = 2.0
# How much the newest edit counts in the average.
_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class EditLimits:
    """How numbers of people are brought up to date. Starts, ends and the like only wait for ``least_s``."""

    # The pause between two edits of one post: people are reading it, and the server limits the rate.
    least_s: float = 1.0
    most_s: float = 15.0
    # Edits at once; in a second, if it goes on; and before that counts.
    at_once: int = 8
    per_s: float = 20.0
    spare: int = 100
    # Urgent edits at once.
    urgent_at_once: int = 16


DEFAULT_LIMITS = EditLimits()


class Pace:
    """The pause grows while edits are slow or many, and shrinks when they no longer are."""

    def __init__(self, limits: EditLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._took_s = 0.0
        # How many of the spare edits were made and not earned back yet, at a time.
        self._spent = 0.0
        self._spent_at = 0.0

    def note(self, took_s: float, now: float) -> None:
        """Take an edit into account that took so long, with its retries, and ended ``now``."""
        self._took_s += _WEIGHT * (min(took_s, self._limits.most_s) - self._took_s)
        self._spent = min(self._spent_by(now) + 1, self._limits.spare)
        self._spent_at = now

    def pause_s(self, waiting: int, now: float) -> float:
        """The pause while so many posts wait for a new number of people."""
        limits = self._limits
        slow_s = _SHARE * self._took_s * max(1.0, waiting / limits.at_once)
        many_s = waiting / limits.per_s * self._spent_by(now) / limits.spare
        return min(max(limits.least_s, slow_s, many_s), limits.most_s)

    def patience_s(self, waiting: int, now: float) -> float:
        """For how long an edit lets webhooks go first that may change the number again."""
        return min(max(self.pause_s(waiting, now), waiting / self._limits.per_s), self._limits.most_s)

    def _spent_by(self, now: float) -> float:
        return max(0.0, self._spent - (now - self._spent_at) * self._limits.per_s)
