"""How long the bot waits for Zoom."""

from __future__ import annotations

from dataclasses import dataclass

from bot.retrying import Backoff

BACKOFF = Backoff(0.3, 4.0, attempts=3, least=0.5)
TOKEN_BACKOFF = Backoff(0.6, 1.2, attempts=3, least=0.5)
SAVE_BACKOFF = Backoff(0.5, 30.0, least=0.5)


@dataclass(frozen=True, slots=True)
class ZoomTimings:
    """The timings that tests shorten, in seconds. The documentation promises the defaults."""

    # A person gets an answer within 30 s. The work before and after creating a meeting needs time as well.
    create_s: float = 22.0
    # Zoom may list a new meeting with a short delay.
    listed_after_s: float = 1.0
    backoff: Backoff = BACKOFF
    # The same for the calls that give and revoke tokens.
    token_backoff: Backoff = TOKEN_BACKOFF
    # How long calls must fail until no more are sent, and for how long none are sent then.
    away_after_s: float = 4.0
    away_s: float = 5.0
    # How long a refresh waits for a failing store before it uses the new token unsaved. The old token is
    # already invalid, so a longer wait would make nothing safer.
    save_s: float = 5.0
    save_backoff: Backoff = SAVE_BACKOFF


DEFAULT_TIMINGS = ZoomTimings()
