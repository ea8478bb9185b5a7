"""Finds the mention of a user name in a message, as Mattermost's server does. Pure.

The server splits a message into words of letters, digits and ``:.-_@``. A word mentions the user if it is the
name between any of ``:.-_``; or, unless it begins with an @, if the name is one of the parts between its
``.``, ``-`` and ``:``. A word between colons is an emoji (``app/mention_parser_standard.go``).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

_EDGE = r"[\w:.\-@]"
# Marks of direction and other characters that nobody sees.
INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_UNSEEN = re.compile(rf"[{INVISIBLE}]*")
_BLANK = re.compile(rf"[\s{INVISIBLE}]+")
_EMPHASIS = re.compile(rf"[\s{INVISIBLE}]*([*_~]*)[\s{INVISIBLE}]*")


@dataclass(frozen=True, slots=True)
class Mention:
    """Where the name stands in a message, with its @."""

    start: int
    end: int


def find_mention(text: str, name: str) -> Mention | None:
    """The first mention of ``name``, in any case."""
    if "@" not in text or f"@{name}".casefold() not in text.casefold():
        return None
    for found in _pattern(name).finditer(text):
        word = found[0]
        if word[0] == word[-1] == ":":
            continue
        at = found.start("edge") if found.start("edge") >= 0 else found.start("part")
        return Mention(at, at + 1 + len(name))
    return None


def calls(names: Iterable[str], keyword: str) -> tuple[str, ...]:
    """What every message that calls the bot has one of when it is casefolded: a name behind an @, or the
    keyword. What has one of the others in it is left out."""
    found = {f"@{name}".casefold() for name in names} | ({keyword.casefold()} if keyword else set())
    return tuple(each for each in found if not any(other in each for other in found if other != each))


def text_after(message: str, mention: Mention) -> str | None:
    """What follows a mention at the beginning of a message; None if it is elsewhere.

    Emphasis around the mention, or around all of the message, belongs to neither.
    """
    before = _EMPHASIS.fullmatch(message, 0, mention.start)
    if before is None:
        return None
    rest, closing = _UNSEEN.sub("", message[mention.end :], count=1), before[1][::-1]
    if closing and rest.startswith(closing):
        return rest[len(closing) :]
    return strip_blanks(rest).removesuffix(closing) if closing else rest


def strip_blanks(text: str) -> str:
    """``text`` without spaces and invisible characters at its ends."""
    if text.isascii():
        return text.strip()
    start = found.end() if (found := _BLANK.match(text)) else 0
    end = len(text)
    while end > start and _BLANK.fullmatch(text, end - 1, end):
        end -= 1
    return text[start:end]


@functools.lru_cache(maxsize=8)
def _pattern(name: str) -> re.Pattern[str]:
    at = rf"@{re.escape(name)}"
    return re.compile(
        rf"(?<!{_EDGE})(?:[:.\-_]*(?P<edge>{at})[:.\-_]*(?!{_EDGE})"
        rf"|[:.\-_]*[^\W_]{_EDGE}*?[.\-:](?P<part>{at})(?![\w@]))",
        re.IGNORECASE,
    )
