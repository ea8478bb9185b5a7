"""Seals secrets before they reach the store, and opens them again.

A sealed value is a Fernet token whose plaintext names its owner. Opening it for another owner fails, so one
person's token is useless when copied into another person's record.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.errors import VaultError


class _Sealed(msgspec.Struct, forbid_unknown_fields=True):
    owner: str
    value: str


_decoder = msgspec.json.Decoder(_Sealed)


def new_key() -> str:
    """Generate an encryption key for ``store.encryption_keys``."""
    return Fernet.generate_key().decode("ascii")


class Vault:
    """Seals with the first key, opens with any of them.

    Each of ``keys`` is 32 bytes in URL-safe base64 (see :func:`new_key`). Raises :class:`VaultError` if there
    are none, or if one is invalid; the message gives its position (from 1).
    """

    __slots__ = ("_fernet",)

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise VaultError("there is no encryption key: make one with `zoombot keys new`")
        self._fernet = MultiFernet([_fernet(key, position) for position, key in enumerate(keys, start=1)])

    def __repr__(self) -> str:
        return "<Vault>"

    def seal(self, owner: str, value: str) -> str:
        """Encrypt ``value`` with the first key, for this owner only."""
        return self._fernet.encrypt(msgspec.json.encode(_Sealed(owner, value))).decode("ascii")

    def open(self, owner: str, sealed: str) -> str:
        """Decrypt what :meth:`seal` returned. Raises :class:`VaultError` for a wrong key, owner or token."""
        try:
            content = _decoder.decode(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, msgspec.MsgspecError, UnicodeError):
            # Raised without its cause: a decoding error could quote the plaintext.
            raise VaultError("the sealed value does not open: it is damaged, or its key is missing") from None
        if not hmac.compare_digest(content.owner.encode(), owner.encode()):
            raise VaultError("the sealed value belongs to another owner")
        return content.value

    def rotate(self, owner: str, sealed: str) -> str:
        """Seal the same value again with the first key. Raises what :meth:`open` raises."""
        return self.seal(owner, self.open(owner, sealed))


def _fernet(key: str, position: int) -> Fernet:
    try:
        return Fernet(key)
    except (ValueError, TypeError):
        message = f"encryption key {position} is no key: 32 bytes in URL-safe base64 (`zoombot keys new`)"
        raise VaultError(message) from None
