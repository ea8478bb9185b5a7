"""The architecture is measured, and does not get worse unseen."""

from __future__ import annotations

import asyncio
import functools

from bench import house

# With room for a change that has a reason; who needs more raises them and says why.
# 41: a process asks which queues are its own (bot/stores/claims).
MOST_MODULES = 41
MOST_TURNS = 50


def test_a_way_counts_a_module_once_and_each_return_to_it() -> None:
    visits = ["bot.a", "bot.a", "bot.b", "bot.a", "bot.c", "bot.c", "bot.b"]
    way = house.way_of(visits)
    assert way == ["bot.a", "bot.b", "bot.a", "bot.c", "bot.b"]
    assert house.figures(way) == {"modules": 3, "turns": 2}


def test_a_way_without_returns_has_no_turns() -> None:
    assert house.figures(house.way_of(["bot.a", "bot.b", "bot.c"])) == {"modules": 3, "turns": 0}


def test_an_adapter_can_be_taken_as_one_module() -> None:
    visits = ["bot.zoom.calls", "bot.zoom", "bot.zoom.client", "bot.zoomed", "bot.stores.tiny"]
    assert house.way_of(visits, whole_adapters=True) == ["bot.zoom", "bot.zoomed", "bot.stores"]


def test_the_request_is_found_in_what_holds_it() -> None:
    journey = house.Journey(frozenset(), "marked", "bot.mattermost", frozenset())
    for given in ("@zoom marked", b"marked", ["marked"], functools.partial(print, "marked")):
        assert list(journey.found_in(given)) == ["text"]
    for other in ("@zoom", 1, None, ["other"], [[["marked"]]]):
        assert list(journey.found_in(other)) == []


def test_a_mention_passes_few_modules_and_the_same_in_every_run() -> None:
    first, second = (asyncio.run(house.walked(house.mention)) for _ in range(2))
    assert first == second
    assert 0 < first["modules"] <= MOST_MODULES
    assert 0 < first["turns"] <= MOST_TURNS
