"""JSON that is nested without end, and lists without end."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mattermost.arrays import ArraySplitter, NotAnArrayError
from bot.mattermost.nesting import decode_nested, flattened

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def cut(value: Any, depth: int) -> Any:
    """What :func:`flattened` should leave."""
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [cut(each, depth - 1) for each in value]
    return {key: cut(each, depth - 1) for key, each in value.items()}


@given(VALUES, st.integers(0, 6), st.sampled_from([None, 1]))
def test_what_is_too_deep_is_null(value: Any, depth: int, indent: int | None) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=False).encode()
    assert json.loads(flattened(body, depth)) == cut(value, depth)


@given(st.binary(), st.integers(0, 3))
def test_any_bytes_are_taken(body: bytes, depth: int) -> None:
    assert len(flattened(body, depth)) <= len(body) + 4 * body.count(b"[") + 4 * body.count(b"{")


def test_what_stands_after_a_deep_value_is_read() -> None:
    class Both(msgspec.Struct):
        before: int
        after: int

    deep = b"[" * 100_000 + b"]" * 100_000
    body = b'{"before":1,"x":{"y":' + deep + b'},"after":2}'
    with pytest.raises(RecursionError):
        msgspec.json.decode(body, type=Both)
    assert decode_nested(msgspec.json.Decoder(Both), body) == Both(1, 2)


ITEMS = st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=6)


@given(ITEMS, st.integers(1, 40), st.sampled_from([None, 1]))
def test_a_list_is_split_wherever_it_is_cut(items: list[Any], size: int, indent: int | None) -> None:
    body = json.dumps(items, indent=indent, ensure_ascii=False).encode() + b"\n"
    splitter = ArraySplitter()
    found = [each for at in range(0, len(body), size) for each in splitter.feed(body[at : at + size])]
    assert [json.loads(each) for each in found] == items
    assert splitter.complete


def test_a_list_that_breaks_off_is_not_complete() -> None:
    splitter = ArraySplitter()
    assert splitter.feed(b'[{"a":"]"},{"b"') == [b'{"a":"]"}']
    assert not splitter.complete


def test_only_one_item_is_kept() -> None:
    splitter = ArraySplitter(max_item=1000)
    for _ in range(10_000):
        assert splitter.feed(b'%s{"id":"x"}' % (b"," if splitter._level else b"[")) == [b'{"id":"x"}']
        assert len(splitter._rest) < 20


@pytest.mark.parametrize("body", [b'{"a":[]}', b'"[]"[', b"[][]", b'[{"x":"' + b"y" * 2000])
def test_what_is_no_list_of_items_is_refused(body: bytes) -> None:
    with pytest.raises(NotAnArrayError):
        ArraySplitter(max_item=1000).feed(body)
