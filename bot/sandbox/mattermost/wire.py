"""JSON and ids in Mattermost's format."""

from __future__ import annotations

import secrets

import msgspec
from aiohttp import web

from bot.sandbox.mattermost.records import Json

# Mattermost's own base32 alphabet.
_ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
_ESCAPES = {b"<": b"\\u003c", b">": b"\\u003e", b"&": b"\\u0026"}


def new_id() -> str:
    """A new id of 26 characters."""
    number = secrets.randbits(130)
    letters = []
    for _ in range(26):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(letters)


def encode(value: object) -> bytes:
    """Compact JSON; `<`, `>` and `&` are escaped as Go does."""
    text = msgspec.json.encode(value)
    for character, escape in _ESCAPES.items():
        if character in text:
            text = text.replace(character, escape)
    return text


def encode_text(value: object) -> str:
    """Like `encode`, as a string. Events carry posts as JSON inside JSON."""
    return encode(value).decode()


def answer(value: object, status: int = 200) -> web.Response:
    """A response whose Content-Type is exactly `application/json`."""
    return web.Response(body=encode(value), status=status, content_type="application/json")


def event(
    name: str,
    data: Json,
    *,
    user_id: str = "",
    channel_id: str = "",
    team_id: str = "",
    omit: str = "",
) -> str:
    """An event frame without its end. `seal` adds the sequence number, which differs per connection."""
    broadcast = {
        "omit_users": {omit: True} if omit else None,
        "user_id": user_id,
        "channel_id": channel_id,
        "team_id": team_id,
    }
    body = {"event": name, "data": dict(sorted(data.items())), "broadcast": broadcast}
    return encode_text(body)[:-1]


def seal(opened: str, seq: int) -> str:
    """Complete an `event` with its sequence number."""
    return f'{opened},"seq":{seq}}}'
