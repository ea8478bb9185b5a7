"""Whether the keys open what is sealed: tried on a sample of each kind, and on all that is in use.

To open a million values takes longer than anybody waits for the doctor.
"""

from __future__ import annotations

import contextlib
import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.records import Item, ItemState, LinkedAccount, Meeting, Notice, Record
from bot.errors import VaultError
from bot.setup.sealed import owner_of, sealed_kinds
from bot.setup.troubled import Troubled, shut
from bot.stores import Store
from bot.vault import Vault
from bot.zoom import ACCOUNT

# Of each kind so many are opened, in the order of their ids; then about as many of each doubling.
SAMPLE = 1000


class Opens(enum.Enum):
    """How a sealed value opens."""

    FIRST = "with the first key"
    LATER = "with another key"
    NEVER = "with none"


@dataclass(slots=True)
class Looked:
    """What was found: how the values and the links that were tried open, and what does not."""

    links: int = 0
    # Sealed values that were not tried.
    untried: int = 0
    values: Counter[Opens] = field(default_factory=Counter)
    of_links: Counter[Opens] = field(default_factory=Counter)
    shut: list[Troubled] = field(default_factory=list)

    def note(self, record: Record, names: tuple[str, ...], vault: Vault, first: Vault) -> None:
        """Try the sealed values of a record."""
        found = [_opens(vault, first, record, name) for name in names]
        self.values.update(found)
        self.of_links.update(found if isinstance(record, LinkedAccount) else ())
        # What was given up is named as such.
        if Opens.NEVER in found and not (isinstance(record, Item) and record.state is ItemState.DEAD):
            self.shut.append(shut(record))


async def look(store: Store, keys: Sequence[str], sample: int = SAMPLE) -> Looked:
    """Count the links, and try the keys on a sample of each kind and on all that is in use."""
    looked, vault, first = Looked(), Vault(keys), Vault(keys[:1])
    hosts = {ACCOUNT}
    async for open_ones in store.pages(Meeting, "open", value=True):
        hosts |= {meeting.host_id for meeting in open_ones}
    for kind, fields in sealed_kinds().items():
        number, due = 0, 0
        async for page in store.pages(kind):
            looked.links += len(page) if kind is LinkedAccount else 0
            for record in page:
                names = tuple(name for name in fields if getattr(record, name))
                if not names:
                    continue
                if number == due or _is_in_use(record, hosts):
                    looked.note(record, names, vault, first)
                else:
                    looked.untried += len(names)
                # All of the first ones, and ever fewer of the others, up to the last.
                due += 1 + number // sample if number == due else 0
                number += 1
    return looked


def _is_in_use(record: Record, hosts: set[str]) -> bool:
    match record:
        case Item():
            return record.state is ItemState.WAITING
        case Notice():
            return record.waiting or record.held
        case LinkedAccount():
            return record.id in hosts
    return False


def _opens(vault: Vault, first: Vault, record: Record, name: str) -> Opens:
    for each, how in ((first, Opens.FIRST), (vault, Opens.LATER)):
        with contextlib.suppress(VaultError):
            owner_of(each, record, name)
            return how
    return Opens.NEVER
