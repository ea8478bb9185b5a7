"""What an earlier process had begun is told from the order in which it handled things."""

from __future__ import annotations

from bot.domain.records import Item
from bot.runtime.begun import UNOPENED, begun

NOW = 1_000


def item(
    id: str, at: int, *, queue: str = "q", asked: int = 0, due: int = 0, sender: str = "", error: str = ""
) -> Item:
    return Item(
        id=id,
        kind="request",
        queue=queue,
        asked_at=asked or at,
        received_at=at,
        due_at=due,
        sender=sender,
        error=error,
    )


def test_of_each_queue_only_the_first_was_begun() -> None:
    items = [item("a", 1), item("b", 2), item("c", 3, queue="other"), item("d", 4, queue="other")]
    assert begun(items, NOW, 50) == {"a", "c"}
    assert begun([], NOW, 50) == set()


def test_those_that_arrived_at_the_same_time_may_have_been_the_first() -> None:
    assert begun([item("a", 1), item("b", 1), item("c", 2)], NOW, 50) == {"a", "b"}


def test_the_earlier_process_may_itself_have_begun_with_the_oldest() -> None:
    assert begun([item("a", 1, asked=9), item("b", 2, asked=3), item("c", 5)], NOW, 50) == {"a", "b"}


def test_what_is_due_later_was_not_begun_and_a_task_arrives_when_it_is_due() -> None:
    items = [item("task", 1, asked=900, due=900), item("a", 800), item("later", 2, due=NOW + 1)]
    assert begun(items, NOW, 50) == {"a"}


def test_an_item_that_no_key_opens_holds_up_nobody() -> None:
    items = [item("shut", 1, error=UNOPENED), item("a", 2), item("b", 3)]
    assert begun(items, NOW, 50) == {"shut", "a"}


def test_a_person_with_very_many_requests_may_have_waited_where_others_went_on() -> None:
    many = [item(f"m{number}", number, queue=f"q{number}", sender="many") for number in range(1, 4)]
    items = [*many, item("a", 5, queue="q3", sender="x"), item("b", 6, queue="q3", sender="x")]
    assert begun(items, NOW, 2) == {"m1", "m2", "m3", "a"}
    assert begun(items, NOW, 3) == {"m1", "m2", "m3"}
