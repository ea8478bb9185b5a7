"""A post always fits into what the server takes, and loses nothing in silence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages.catalogue import catalogue
from bot.messages.content import Link, Table, text
from bot.messages.fitting import MAX_ATTACHMENT_TEXT, one, parts, props_that_fit

CUT = "… (shortened)"


def table(rows: int) -> str:
    content = Table([text("policy-channel"), text("policy-rule")], [[f"c{n}", "allow"] for n in range(rows)])
    return catalogue().markdown(content)


def test_what_fits_stays_as_it_is() -> None:
    assert parts("a\n\nb", 4, CUT) == ["a\n\nb"]


def test_a_table_is_split_between_rows_and_each_part_has_its_head() -> None:
    message = "The rules:\n\n" + table(100) + "\n\nThat is all."
    found = parts(message, 300, CUT)
    assert all(len(part) <= 300 for part in found)
    head = "| Channel | Rule |\n| --- | --- |\n"
    assert found[0].startswith(f"The rules:\n\n{head}| c0 |")
    assert all(part.startswith(head) for part in found[1:-1])
    assert re.findall(r"c\d+", "".join(found)) == [f"c{n}" for n in range(100)]
    assert found[-1].endswith("That is all.")


def test_a_head_is_never_parted_from_its_first_row() -> None:
    for limit in range(70, 120):
        for part in parts("x" * 60 + "\n" + table(3), limit, CUT):
            assert not part.endswith("| --- | --- |")
            assert not part.startswith("| --- |")


def test_a_list_is_split_between_its_items() -> None:
    items = [f"- item {n}" for n in range(50)]
    found = parts("\n".join(items), 100, CUT)
    assert [line for part in found for line in part.split("\n")] == items


def test_a_line_that_is_too_long_says_that_it_was_shortened() -> None:
    assert one("word " * 100, 60, CUT) == "word word word word word word word word word … (shortened)"
    (first, *_) = parts("w" * 100 + "\nend", 60, CUT)
    assert first.endswith(CUT)


def test_a_link_is_cut_as_a_whole() -> None:
    link = catalogue().markdown(Link("a topic]", "https://zoom.us/j/1?pwd=" + "x" * 60))
    assert one(f"Started: {link} now", 60, CUT) == "Started: … (shortened)"


def test_an_escape_is_not_parted_from_its_character() -> None:
    for limit in range(20, 40):
        assert not re.search(r"(?<!\\)\\ …", one(r"\*" * 30, limit, CUT))


def test_there_are_not_too_many_parts_and_the_last_says_so() -> None:
    found = parts("\n".join("line" for _ in range(1000)), 40, CUT, most=3)
    assert len(found) == 3
    assert found[-1].endswith(CUT)
    assert all(len(part) <= 40 for part in found)


@given(st.text(alphabet="ab|-\n \\`[]() ", max_size=400), st.integers(30, 200))
def test_every_part_fits(message: str, limit: int) -> None:
    assert all(0 < len(part) <= limit for part in parts(message, limit, CUT) if message)


@pytest.mark.parametrize("size", [MAX_ATTACHMENT_TEXT * 250, 10])
def test_props_fit(size: int) -> None:
    card = {"title": "t", "fields": [{"title": "Host", "value": "x" * size}]}
    found = props_that_fit({"meeting_id": 1, "attachments": [card] * 3})
    assert found["meeting_id"] == 1
    assert found["attachments"][0]["title"] == "t"
    assert len(found["attachments"][0]["fields"][0]["value"]) == min(size, MAX_ATTACHMENT_TEXT)


def test_attachments_that_never_fit_are_left_out() -> None:
    found = props_that_fit({"meeting_id": 1, "attachments": [{"text": "x" * 1000}] * 1000})
    assert found == {"meeting_id": 1}
