"""The pause between two edits of one post grows with the load, between one and fifteen seconds."""

from __future__ import annotations

from bot.runtime.pace import DEFAULT_LIMITS, Pace

LEAST_S, MOST_S = DEFAULT_LIMITS.least_s, DEFAULT_LIMITS.most_s


def after(*took_s: float, every_s: float = 1.0) -> tuple[Pace, float]:
    """A pace after edits that took so long, and the time of the last one."""
    pace, now = Pace(), 0.0
    for each in took_s:
        now += every_s
        pace.note(each, now)
    return pace, now


def test_a_quiet_mattermost_is_told_every_second() -> None:
    pace, now = after(*[0.01] * 50)
    assert pace.pause_s(1, now) == pace.pause_s(10, now) == LEAST_S


def test_slow_edits_of_many_posts_make_the_pause_longer() -> None:
    pace, now = after(*[0.2] * 50)
    assert pace.pause_s(1, now) == LEAST_S
    # Fifty posts, eight edits at once, for half of the time.
    assert 2.4 < pace.pause_s(50, now) < 2.6
    assert pace.pause_s(5000, now) == MOST_S


def test_one_post_alone_keeps_no_slow_mattermost_busy() -> None:
    pace, now = after(*[4.0] * 50)
    assert 7 < pace.pause_s(1, now) <= 8


def test_a_burst_is_free_and_a_flood_is_not() -> None:
    pace, now = after(0.01, every_s=0.02)
    assert pace.pause_s(100, now) == LEAST_S
    pace, now = after(*[0.01] * 500, every_s=0.02)
    # Twenty edits a second.
    assert pace.pause_s(100, now) == 5.0
    assert pace.pause_s(5000, now) == MOST_S


def test_the_pause_shrinks_when_the_load_is_gone() -> None:
    pace, now = after(*[30.0] * 20, *[0.01] * 20, every_s=0.01)
    assert pace.pause_s(100, now) > LEAST_S
    assert pace.pause_s(100, now + 10) == LEAST_S


def test_webhooks_go_first_for_longer_the_more_posts_wait() -> None:
    pace = Pace()
    assert pace.patience_s(1, 0.0) == LEAST_S
    assert pace.patience_s(100, 0.0) == 5.0
    assert pace.patience_s(5000, 0.0) == MOST_S
