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
    if len(message) <= limit:
        return [message]
    found = list(_split(message, limit, shortened))
    if len(found) <= most:
        return found
    last = found[most - 1]
    closed = f"{last}\n{shortened}"
    return [*found[: most - 1], closed if len(closed) <= limit else _cut(last, limit, shortened)]


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


def _split(message: str, limit: int, shortened: str) -> Iterator[str]:
    part = ""
    for text, head in _units(message.split("\n")):
        if not part:
            part = text
        elif len(part) + 1 + len(text) <= limit:
            part += f"\n{text}"
        else:
            yield from _closed(part, limit, shortened)
            continued = f"{head}\n{text}" if head else text
            part = continued if len(continued) <= limit else text
    yield from _closed(part, limit, shortened)


def _closed(part: str, limit: int, shortened: str) -> Iterator[str]:
    if text := part.strip("\n"):
        yield one(text, limit, shortened)


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
