"""How the operator's long commands say how far they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

# Says that so many more records are done.
Advance = Callable[[int], None]
# Begins something of so many records in all, under a name.
Progress = Callable[[str, int], AbstractContextManager[Advance]]


@contextmanager
def quiet(name: str, total: int) -> Iterator[Advance]:
    """Says nothing."""
    yield lambda done: None
