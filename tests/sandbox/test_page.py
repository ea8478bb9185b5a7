"""What the page is written in: no markup made of text, nothing from elsewhere, small files."""

from __future__ import annotations

import re

import pytest

from bot.sandbox.assets import FOLDER

MAX_LINES = 300
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|javascript:"
)
ELSEWHERE = re.compile(r"https?://(?!www\.w3\.org/2000/svg)[a-z]")


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_a_file_of_the_page_is_small_and_makes_no_markup_of_text(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert not FORBIDDEN.search(text)
    assert not ELSEWHERE.search(text)
    assert not re.search(r"style=", text)
