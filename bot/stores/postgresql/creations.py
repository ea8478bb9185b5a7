"""The meetings that other replicas are creating."""

from __future__ import annotations

from collections.abc import Container

from bot.stores.claims import Holder
from bot.stores.postgresql.signals import Said


class Creations:
    """What each replica has begun and not ended."""

    def __init__(self) -> None:
        self._begun: dict[int, set[str]] = {}

    def note(self, said: Said, holder: Holder) -> None:
        """Take in what a replica says, and pass it on."""
        begun = self._begun.setdefault(said.sender, set())
        for id_ in said.begun:
            begun.add(id_)
            holder.note_creation(id_, begun=True)
        for id_ in said.ended:
            begun.discard(id_)
            holder.note_creation(id_, begun=False)

    def keep(self, replicas: Container[int], holder: Holder) -> None:
        """Forget what other replicas than these had begun: others begin it again."""
        for number in [each for each in self._begun if each not in replicas]:
            for id_ in self._begun.pop(number):
                holder.note_creation(id_, begun=False)
