"""How long features and routes wait."""

from __future__ import annotations

from dataclasses import dataclass

from bot.retrying import Backoff

UPLOAD_BACKOFF = Backoff(1.0, 30.0, 10)


@dataclass(frozen=True, slots=True)
class FeatureTimings:
    """Seconds; tests make them shorter.

    A handler has 120 s. All downloads of a file, with the pauses between them, take at most ``download_s``
    of these, and the uploads end at ``fetch_s``, which leaves time to say that the file stays in Zoom.
    Waiting in the queue does not count.
    """

    # Mattermost and Zoom wait 3 s for an answer. Zoom sends a refused webhook again, so refusing it in time
    # is better than answering late.
    store_s: float = 2.5
    download_pauses_s: tuple[float, ...] = (0.5, 3.0, 10.0, 30.0)
    download_s: float = 75.0
    fetch_s: float = 100.0
    upload: Backoff = UPLOAD_BACKOFF
    # When Zoom is asked for a recording and summary, in case a webhook was lost: first after the end,
    # then each time after the one before. In all less than a day.
    news_s: tuple[float, ...] = (600, 3600, 3 * 3600, 8 * 3600, 11 * 3600)
    # The same for a recording that Zoom tells of before it can be watched.
    ready_s: tuple[float, ...] = (60, 120, 300, 900, 1800, 3600, 2 * 3600, 6 * 3600, 12 * 3600)


DEFAULT_FEATURE_TIMINGS = FeatureTimings()
