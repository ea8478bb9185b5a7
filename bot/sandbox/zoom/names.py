"""Identifiers in the forms that Zoom gives them."""

from __future__ import annotations

import base64
import itertools
import secrets

_turn = itertools.count()


def uuid() -> str:
    """A meeting uuid: base64 of 16 bytes. Three in four are awkward: a leading ``/``, a ``//``, a ``+``."""
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
    """Eleven digits, beyond 32 bits as Zoom's are."""
    return 80_000_000_000 + secrets.randbelow(10_000_000_000)


def user_id() -> str:
    """22 characters as of Zoom users."""
    return secrets.token_urlsafe(16)


def passcode() -> str:
    """Six characters."""
    alphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
    return "".join(secrets.choice(alphabet) for _ in range(6))


def token() -> str:
    """Long and opaque, fit for a URL."""
    return secrets.token_urlsafe(48)
