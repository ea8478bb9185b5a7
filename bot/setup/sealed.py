"""The sealed values of the records in a store."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bot.domain.records import Record
from bot.domain.upkeep import known_kinds
from bot.errors import VaultError
from bot.vault import Vault


def sealed_kinds() -> dict[type[Record], tuple[str, ...]]:
    """Each kind of record that has sealed fields, with their names."""
    found = {
        kind: tuple(name for name in kind.__struct_fields__ if name.startswith("sealed"))
        for kind in known_kinds()
    }
    return {kind: names for kind, names in found.items() if names}


def owner_of(vault: Vault, record: Record, name: str) -> str:
    """The owner of the sealed value in the field ``name``: the record, or the user that it is about.

    Raises :class:`VaultError` if the value opens for neither.
    """
    for owner in _owners(record):
        try:
            vault.open(owner, getattr(record, name))
        except VaultError:
            continue
        return owner
    raise VaultError(f"a value of {record.table} does not open: its key is missing, or it is damaged")


def _owners(record: Record) -> Iterator[str]:
    yield record.id
    user_id = getattr(record, "user_id", "")
    if user_id:
        yield user_id


def rotated(vault: Vault, record: Record, names: tuple[str, ...]) -> Record:
    """The record with these fields resealed with the first key; empty ones stay empty."""
    fresh = {
        name: vault.rotate(owner_of(vault, record, name), getattr(record, name))
        for name in names
        if getattr(record, name)
    }
    return msgspec.structs.replace(record, **fresh)
