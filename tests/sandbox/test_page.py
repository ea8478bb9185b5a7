"""Rules for the page's files: no HTML from text, nothing from other origins, small files."""

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
def test_each_file_is_small_and_builds_no_html_from_text(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert not FORBIDDEN.search(text)
    assert not ELSEWHERE.search(text)
    assert not re.search(r"style=", text)
