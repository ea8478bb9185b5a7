"""What is TinyDB's own: its tables on our storage."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tinydb import where
from tinydb.operations import increment
from tinydb.table import Document

from bot.stores.sqlite import Changes
from bot.stores.table import DocumentDatabase


class Saved:
    def __init__(self) -> None:
        self.changes: list[Changes] = []

    def __call__(self, changes: Changes) -> None:
        self.changes.append(changes)

    def last(self) -> Changes:
        return self.changes[-1]


@pytest.fixture
def saved() -> Saved:
    return Saved()


@pytest.fixture
def database(saved: Saved) -> DocumentDatabase:
    bodies = {"things": {"a": b'{"n":1,"tags":["x"]}', "b": b'{"n":2}', "c": b'{"n":3}'}}
    return DocumentDatabase(bodies, saved)


def document(id_: str, **fields: object) -> Document:
    return Document(fields, id_)  # type: ignore[arg-type]


def ids(found: Iterable[Document]) -> list[str]:
    return [str(document.doc_id) for document in found]


def test_it_reads_with_tinydbs_queries(database: DocumentDatabase) -> None:
    things = database.table("things")
    assert ids(things.search(where("n") >= 2)) == ["b", "c"]
    assert things.get(doc_id="a") == {"n": 1, "tags": ["x"]}  # type: ignore[call-overload]
    assert things.get(where("n") == 4) is None
    assert things.contains(where("tags").any(["x"]))
    assert (len(things), len(database.table("none")), database.tables()) == (3, 0, {"things"})


def test_a_search_gives_documents_of_ones_own(database: DocumentDatabase) -> None:
    things = database.table("things")
    things.search(where("n") == 1)[0]["tags"].append("mine")
    assert things.search(where("n") == 1) == [{"n": 1, "tags": ["x"]}]


def test_only_what_changed_is_saved(database: DocumentDatabase, saved: Saved) -> None:
    things = database.table("things")
    things.update(increment("n"), where("n") >= 3)
    assert saved.last() == {("things", "c"): b'{"n":4}'}
    things.update({"n": 2}, where("n") == 2)
    assert saved.last() == {}
    things.remove(where("n") < 3)
    assert saved.last() == {("things", "a"): None, ("things", "b"): None}
    things.insert(document("d", n=5))
    assert saved.last() == {("things", "d"): b'{"n":5}'}
    things.upsert(document("d", m=6))
    assert saved.last() == {("things", "d"): b'{"n":5,"m":6}'}
    things.put(document("d", m=7))
    assert saved.last() == {("things", "d"): b'{"m":7}'}
    assert ids(things) == ["c", "d"]


def test_an_insert_without_an_id_gets_a_new_one(database: DocumentDatabase) -> None:
    things = database.table("things")
    ids = things.insert_multiple([{"n": 1}, {"n": 1}])
    assert len(set(ids) | {"a", "b", "c"}) == 5
    assert len(things) == 5


def test_a_change_that_fails_midway_changes_nothing(database: DocumentDatabase, saved: Saved) -> None:
    things = database.table("things")
    with pytest.raises(ValueError, match="already exists"):
        things.insert_multiple([document("d", n=1), document("a", n=1)])

    def fail() -> None:
        with database.storage.transaction():
            things.remove(doc_ids=["a"])  # type: ignore[list-item]
            things.put(document("b", n=1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert sorted(ids(things)) == ["a", "b", "c"]
    assert ids(things.search(where("n") == 2)) == ["b"]
    assert saved.changes == []


def test_a_transaction_is_saved_as_one(database: DocumentDatabase, saved: Saved) -> None:
    with database.storage.transaction():
        database.table("things").remove(doc_ids=["a"])  # type: ignore[list-item]
        database.table("others").put(document("a", n=1))
        database.table("others").put(document("a", n=2))
    assert saved.changes == [{("things", "a"): None, ("others", "a"): b'{"n":2}'}]


def test_tables_are_emptied_and_dropped(database: DocumentDatabase, saved: Saved) -> None:
    database.table("others").put(document("x", n=1))
    database.table("things").truncate()
    assert set(saved.last()) == {("things", "a"), ("things", "b"), ("things", "c")}
    assert database.tables() == {"others"}
    database.drop_table("others")
    assert saved.last() == {("others", "x"): None}
    database.table("things").put(document("x", n=1))
    database.drop_tables()
    assert database.tables() == set()
    assert len(database.table("things")) == 0
