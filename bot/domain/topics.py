"""Clean up meeting topics. Pure."""

from __future__ import annotations

import re

_LINE_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
# Half of a surrogate pair cannot be sent as UTF-8.
_UNSENDABLE = re.compile(r"[\0\ud800-\udfff]")
# Invisible, though Unicode calls them letters or marks: fillers, the blank braille cell, variation selectors.
_BLANK = re.compile(
    r"[\s\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def clean_topic(topic: str, fallback: str) -> str:
    """The topic as it is sent to Zoom: line breaks folded, trimmed, at most 200 characters."""
    folded = _LINE_BREAKS.sub(" ", _UNSENDABLE.sub("", topic)).strip()[:200].strip()
    return folded if is_visible(folded) else fallback[:200]


def is_visible(text: str) -> bool:
    """Whether there is anything in ``text`` that people can see."""
    return any(char.isprintable() for char in _BLANK.sub("", text))
