"""The times that the documents promise are those that hold where nobody makes them shorter."""

from __future__ import annotations

import inspect

from bot.features import orphans, questions, tickets
from bot.log.streams import DRAIN_S
from bot.mattermost.connection import CLOSE_TIMEOUT_S
from bot.runtime import app, inquiry, janitor, listener, reconciler, stopping, wiring
from bot.runtime.app import opened
from bot.runtime.timer import LONGEST_SLEEP_S
from bot.runtime.timings import Timings
from bot.stores.writer import Limits
from bot.web.server import SHUTDOWN_S
from bot.zoom.webhooks import MAX_SKEW_S

MINUTE_MS = 60_000


def test_the_bot_runs_at_the_defaults() -> None:
    assert inspect.signature(opened).parameters["timings"].default == Timings()


def test_an_unreachable_mattermost_is_waited_for_two_minutes_at_start() -> None:
    assert Timings().start_patience_s == 120


def test_a_deaf_socket_is_noticed_within_75_seconds() -> None:
    timing = Timings().socket
    assert timing.ping_s + timing.answer_s + CLOSE_TIMEOUT_S <= 75
    # One that is never opened, too.
    assert timing.connect_s + timing.answer_s <= 75


def test_who_asks_is_told_of_a_zoom_that_is_away_within_30_seconds() -> None:
    assert Timings().zoom.create_s < 30


def test_a_meeting_that_nobody_knows_of_is_looked_for_three_times_in_30_seconds() -> None:
    pause_s, until_s = orphans.PAUSES_S[0]
    assert until_s >= 30
    assert 3 * (pause_s + LONGEST_SLEEP_S) <= 30


def test_a_stop_takes_at_most_five_seconds() -> None:
    # aiohttp waits twice for requests in flight; meanwhile the queues are closed.
    finishing = app.CURSOR_GRACE_S + app.WORKER_GRACE_S + app.PUBLISHER_GRACE_S
    steps = (
        CLOSE_TIMEOUT_S,
        listener.STOP_S,
        max(2 * SHUTDOWN_S, finishing),
        wiring.TOKENS_GRACE_S,
        Limits().close_s,
        DRAIN_S,
    )
    assert sum(steps) < stopping.LONGEST_S < 5
    assert stopping.LONGEST_S + DRAIN_S <= 5


def test_strangers_are_given_seconds() -> None:
    limits = Timings().web
    assert limits.head_s == limits.body_s == 10
    # Proxies keep a connection for a minute.
    assert 60 < limits.idle_s == 75
    assert (limits.connections, limits.admin_connections) == (256, 32)
    assert limits.log_s == 60


def test_a_handler_is_tried_four_times() -> None:
    assert len(Timings().retry_policy.pauses_s) + 1 == 4


def test_what_alone_is_blocked_is_given_up_after_about_one_to_two_minutes() -> None:
    patience = Timings().patience
    assert patience.page_s <= 60
    assert patience.trouble_s <= 120
    assert Timings().second_try_s <= 60


def test_a_post_is_edited_once_a_second_at_most() -> None:
    assert Timings().edits.least_s == 1


def test_a_number_of_people_is_shown_within_fifteen_seconds() -> None:
    assert Timings().edits.most_s == 15


def test_zoom_is_asked_about_open_meetings_every_five_minutes() -> None:
    assert Timings().reconcile_s == reconciler.PERIOD_S == 5 * 60
    assert inquiry.EXPIRE_MS == 24 * 60 * MINUTE_MS


def test_links_and_questions_live_ten_minutes_and_a_signature_five() -> None:
    assert tickets.TICKET_MS == questions.QUESTION_MS == 10 * MINUTE_MS
    assert MAX_SKEW_S == 5 * 60


def test_things_are_kept_as_long_as_the_privacy_page_says() -> None:
    day = 24 * 60 * MINUTE_MS
    assert (2 * day, day, 90 * day) == (janitor.ITEM_MS, janitor.NOTICE_MS, janitor.MEETING_MS)
    assert day == janitor.PENDING_MS
    assert tickets.TICKET_MS + janitor.TICKET_MS + 1000 * janitor.PERIOD_S < 2.5 * 60 * MINUTE_MS
    assert 7 * day == janitor.HELD_MS
    assert (10 * MINUTE_MS, day) == (orphans.APPEAR_MS, orphans.GIVE_UP_MS)
