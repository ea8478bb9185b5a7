"""An outage is told from a call that alone keeps failing, at the price of few calls."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import MattermostUnreachableError
from bot.mattermost import Mattermost, open_session
from bot.runtime.patience import Patience, Trials
from bot.sandbox.mattermost import Mattermost as Sandbox

ERROR = MattermostUnreachableError("lost")


@pytest.mark.parametrize("status", [0, 502, 429])
async def test_in_an_outage_a_thousand_calls_that_fail_ask_once(status: int) -> None:
    async with Sandbox() as server, open_session() as http:
        trials = Trials(Mattermost(http, server.url, server.bot_token), Patience(0, 0, 0, failures=1))
        if status:
            server.faults.add(status, times=-1, path=r"/users/me$", body="<html>")
        hopeless = await asyncio.gather(*(trials.begin().is_hopeless(ERROR) for _ in range(1000)))
        assert set(hopeless) == {not status}
        assert len(server.calls) == 1
