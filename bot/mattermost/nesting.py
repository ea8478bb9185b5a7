"""Decodes JSON however deeply it is nested. Pure.

Anybody can write a post whose props are nested thousands deep, and Mattermost takes it. A decoder that calls
itself for each level fails on such a post, and on everything that comes in the same answer.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

T = TypeVar("T")

# Deeper than anything the bot reads.
MAX_DEPTH = 32

# A string, or brackets that open or close. Strings are matched as a whole, because they may contain brackets.
TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]++|[\]}]++', re.DOTALL)
OPENING = b"[{"
CLOSING = b"]}"


def decode_nested(decoder: msgspec.json.Decoder[T], body: bytes | str) -> T:
    """Decode JSON. What is nested too deeply is read as null. Raises what msgspec raises, but no
    :class:`RecursionError`."""
    try:
        return decoder.decode(body)
    except RecursionError:
        return decoder.decode(flattened(body.encode() if isinstance(body, str) else body))


def flattened(body: bytes, depth: int = MAX_DEPTH) -> bytes:
    """The same JSON with null in place of every list and object below ``depth`` levels."""
    kept = bytearray()
    level = start = 0
    for token in TOKENS.finditer(body):
        first, count = body[token.start()], token.end() - token.start()
        if first in OPENING:
            if level <= depth < level + count:
                kept += body[start : token.start() + depth - level] + b"null"
            level += count
        elif first in CLOSING:
            if level - count <= depth < level:
                start = token.start() + level - depth
            level -= count
    if level <= depth:
        kept += body[start:]
    return bytes(kept)
