"""Random identifiers in Zoom's formats."""

from __future__ import annotations

import base64
import itertools
import secrets

_turn = itertools.count()


def uuid() -> str:
    """A meeting uuid: base64 of 16 bytes. Three in four have a leading ``/``, a ``//`` or a ``+``."""
    text = base64.b64encode(secrets.token_bytes(16)).decode()
    awkward = next(_turn) % 4
    if awkward == 1:
        return "/" + text[1:]
    if awkward == 2:
        return text[:6] + "//" + text[8:]
    if awkward == 3:
        return text[:4] + "+/" + text[6:]
    return text


def meeting_id() -> int:
    """A number of eleven digits, more than 32 bits like Zoom's."""
    return 80_000_000_000 + secrets.randbelow(10_000_000_000)


def user_id() -> str:
    """22 characters, like Zoom's."""
    return secrets.token_urlsafe(16)


def passcode() -> str:
    alphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
    return "".join(secrets.choice(alphabet) for _ in range(6))


def token() -> str:
    """A long, opaque, URL-safe token."""
    return secrets.token_urlsafe(48)
