"""Decrypted tokens in memory: a bounded number, and all that are not saved yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import msgspec
from cachetools import LRUCache

LIMIT = 4096


class _Sealed(msgspec.Struct):
    access: str
    refresh: str


class Sealer(Protocol):
    """The part of :class:`bot.vault.Vault` that is used here."""

    def seal(self, owner: str, value: str) -> str:
        """Encrypt ``value`` for ``owner``."""

    def open(self, owner: str, sealed: str) -> str:
        """Decrypt what was sealed for ``owner``."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token with its expiry (ms since the epoch), and the refresh token to renew it."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: int

    def encode(self) -> str:
        """The pair as JSON, for the vault to seal."""
        return msgspec.json.encode(_Sealed(self.access, self.refresh)).decode()

    @classmethod
    def decode(cls, opened: str, expires_at: int) -> Pair:
        """The pair from the JSON that the vault opened."""
        sealed = msgspec.json.decode(opened, type=_Sealed)
        return cls(sealed.access, sealed.refresh, expires_at)


class Pairs:
    """The most recently used pairs by user and, separately, those that are not in the store yet."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._kept: LRUCache[str, Pair] = LRUCache(limit)
        self._owed: dict[str, Pair] = {}

    def get(self, user_id: str) -> Pair | None:
        """The pair, if it is in memory."""
        return self._kept.get(user_id) or self._owed.get(user_id)

    def put(self, user_id: str, pair: Pair) -> None:
        """Keep a pair; drop the least recently used one if there is no room."""
        self._kept[user_id] = pair

    def forget(self, user_id: str) -> None:
        """Drop the user's pairs, saved or not."""
        self._kept.pop(user_id, None)
        self._owed.pop(user_id, None)

    def owe(self, user_id: str, pair: Pair) -> None:
        """Note that this pair must still be saved."""
        self._owed[user_id] = pair

    def unsaved(self, user_id: str) -> Pair | None:
        """The pair that must still be saved, if there is one."""
        return self._owed.get(user_id)

    def settle(self, user_id: str, pair: Pair | None = None) -> None:
        """Note that no pair must be saved any more, or at least not ``pair``."""
        if pair is None or self._owed.get(user_id) is pair:
            self._owed.pop(user_id, None)

    @property
    def any_unsaved(self) -> bool:
        """Whether any pair must still be saved."""
        return bool(self._owed)
