"""The base of all records in the store."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A document of the store: ``table`` names its kind, ``indexes`` the fields it is found by."""

    table: ClassVar[str]
    indexes: ClassVar[tuple[str, ...]] = ()

    id: str
