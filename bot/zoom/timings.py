"""How long Zoom is waited for."""

from __future__ import annotations

from dataclasses import dataclass

from bot.retrying import Backoff

BACKOFF = Backoff(0.3, 4.0, attempts=3, least=0.5)
SAVE_BACKOFF = Backoff(0.5, 30.0, least=0.5)


@dataclass(frozen=True, slots=True)
class ZoomTimings:
    """What tests make shorter, in seconds; the defaults are what the documents promise."""

    # A person is told within 30 s; what comes before and after making a meeting needs time as well.
    create_s: float = 22.0
    # Zoom may list a meeting a little after it made it.
    listed_after_s: float = 1.0
    backoff: Backoff = BACKOFF
    # How long calls must fail until no more go out, and for how long none do then.
    away_after_s: float = 4.0
    away_s: float = 5.0
    # How long a refresh waits for a store that does not write before its token is used unsaved. The old one
    # is dead by then: waiting longer would keep nothing safer.
    save_s: float = 5.0
    save_backoff: Backoff = SAVE_BACKOFF


DEFAULT_TIMINGS = ZoomTimings()
