"""Make a rendered post fit into the size that the server takes. Pure.

Sizes are in characters (Unicode code points), as Mattermost counts them (runes).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# The server takes 800,000, and adds props of its own.
MAX_PROPS = 760_000
# How many posts one answer may become. What is behind them is left out, and the last one says so.
MAX_PARTS = 20
MAX_ATTACHMENT_TEXT = 4_000

# The second line of a table.
_RULE = re.compile(r"\|( --- \|)+")
# What may not be cut: a link, inline code, an escaped character.
_WHOLE = re.compile(r"\[(?:\\.|[^\]\\])*\]\([^()\s]*\)|(`+) ?.*?\1|\\.", re.DOTALL)


def parts(message: str, limit: int, shortened: str, *, most: int = MAX_PARTS) -> list[str]:
    """Split a message at its lines into parts of at most ``limit`` characters.

    A table's head is repeated in each part that continues it. A line that is longer than a part, and what
    does not fit into ``most`` parts, ends in ``shortened``, which says so.
    """
    found: list[str] = []
    rest = message
    while rest and len(found) < most:
        part, rest = first(rest, limit, shortened, last=len(found) + 1 == most)
        found += [part] if part else []
    return found or [message]


def first(message: str, limit: int, shortened: str, *, last: bool = False) -> tuple[str, str]:
    """The first part of a message, as :func:`parts` splits it, and the rest, with the table's head if it goes
    on there. The ``last`` part has no rest, and says so if there is any."""
    if len(message) <= limit:
        return message, ""
    part, rest = _first(message.split("\n"), limit)
    part = one(part.strip("\n"), limit, shortened)
    if not last or not rest:
        return part, rest
    closed = f"{part}\n{shortened}"
    return closed if len(closed) <= limit else _cut(part, limit, shortened), ""


def one(message: str, limit: int, shortened: str) -> str:
    """The message itself, or its beginning, followed by ``shortened``."""
    return message if len(message) <= limit else _cut(message, limit, shortened)


def props_that_fit(props: dict[str, Any], limit: int = MAX_PROPS) -> dict[str, Any]:
    """The props, with shorter texts in their attachments if they are too large, or without attachments."""
    if _size(props) <= limit:
        return props
    shorter = props | {"attachments": _shorter(props.get("attachments", []))}
    if _size(shorter) <= limit:
        return shorter
    return {key: value for key, value in props.items() if key != "attachments"}


def _first(lines: list[str], limit: int) -> tuple[str, str]:
    part, at = "", 0
    for text, head in _units(lines):
        if part and len(part) + 1 + len(text) > limit:
            rest = "\n".join(lines[at:]).strip("\n")
            return part, f"{head}\n{rest}" if head and len(head) + 1 + len(text) <= limit else rest
        part = f"{part}\n{text}" if part else text
        at += text.count("\n") + 1
    return part, ""


def _units(lines: list[str]) -> Iterator[tuple[str, str]]:
    """What may not be parted, each with the table's head that it needs above it: a line, or the head of a
    table with its first row."""
    head, at = "", 0
    while at < len(lines):
        if at + 1 < len(lines) and _RULE.fullmatch(lines[at + 1]):
            head = "\n".join(lines[at : at + 2])
            yield "\n".join(lines[at : at + 3]), ""
            at += 3
            continue
        head = head if lines[at].startswith("|") else ""
        yield lines[at], head
        at += 1


def _cut(text: str, limit: int, shortened: str) -> str:
    """The beginning of a text, cut at a space if there is one, and ``shortened``."""
    room = max(0, limit - len(shortened) - 1)
    end = room
    space = max(text.rfind(" ", 0, room), text.rfind("\n", 0, room))
    if space > room // 2:
        end = space
    for whole in _WHOLE.finditer(text):
        if whole.start() < end < whole.end():
            end = whole.start()
        if whole.start() >= end:
            break
    return f"{text[:end].rstrip()} {shortened}".strip()[:limit]


def _size(props: dict[str, Any]) -> int:
    return len(json.dumps(props, ensure_ascii=False))


def _shorter(value: Any) -> Any:
    match value:
        case str() if len(value) > MAX_ATTACHMENT_TEXT:
            return value[: MAX_ATTACHMENT_TEXT - 1] + "…"
        case dict():
            return {key: _shorter(each) for key, each in value.items()}
        case list():
            return [_shorter(each) for each in value]
    return value
