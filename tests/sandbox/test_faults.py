"""Fault injection rules."""

from __future__ import annotations

from bot.sandbox.faults import Faults


def test_a_fault_applies_the_given_number_of_times() -> None:
    faults = Faults()
    faults.add(503, times=2)
    assert [faults.match("GET", "/x") is None for _ in range(3)] == [False, False, True]


def test_a_fault_matches_by_method_path_and_user() -> None:
    faults = Faults()
    faults.add(500, method="post", path=r"/posts$", user="zoom")
    assert faults.match("GET", "/posts", "zoom") is None
    assert faults.match("POST", "/posts/1", "zoom") is None
    assert faults.match("POST", "/posts", "alice") is None
    assert faults.match("POST", "/api/v4/posts", "zoom") is not None


def test_a_fault_without_limit_lasts_until_it_is_cleared() -> None:
    faults = Faults()
    fault = faults.add(drop=True, times=-1)
    assert all(faults.match("GET", "/") is fault for _ in range(5))
    assert fault.hits == 5
    faults.clear()
    assert faults.match("GET", "/") is None


def test_the_oldest_matching_fault_applies_first() -> None:
    faults = Faults()
    first, second = faults.add(500), faults.add(502)
    assert [faults.match("GET", "/"), faults.match("GET", "/")] == [first, second]
