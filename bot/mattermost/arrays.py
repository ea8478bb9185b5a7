"""Takes a JSON array apart while it arrives, so that no more than one item is in memory. Pure.

Mattermost does not page the list of a user's channels. It writes the array bit by bit, and if it fails in the
middle, it writes an error after the last item and no closing bracket.
"""

from __future__ import annotations

import re

# No channel and no team is nearly as large.
MAX_ITEM = 1024 * 1024

# As in :mod:`bot.mattermost.nesting`, but bracket by bracket, and with the quote of a string that goes on.
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{\]}"]', re.DOTALL)


class NotAnArrayError(ValueError):
    """It is not an array of objects, or an item is too large."""


class ArraySplitter:
    """Splits an array of objects. ``complete`` is true once its closing bracket has arrived."""

    def __init__(self, max_item: int = MAX_ITEM) -> None:
        self._max_item = max_item
        self._rest = bytearray()
        # Up to where the rest was looked at, the level there, and where the item begins.
        self._at = self._level = 0
        self._begin = -1
        self.complete = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and return the items that they complete. Raises :class:`NotAnArrayError`."""
        self._rest += chunk
        items: list[bytes] = []
        for token in _TOKENS.finditer(bytes(self._rest), self._at):
            text = token[0]
            if text == b'"':
                # The string goes on in the next chunk.
                self._at = token.start()
                break
            self._at = token.end()
            if self._level == 0 and (self.complete or text != b"["):
                raise NotAnArrayError("it is not a list")
            self._step(text, token.start(), token.end(), items)
        else:
            self._at = len(self._rest)
        self._forget()
        return items

    def _step(self, text: bytes, start: int, end: int, items: list[bytes]) -> None:
        if text in (b"[", b"{"):
            self._level += 1
            if self._level == 2:
                self._begin = start
        elif text in (b"]", b"}"):
            self._level -= 1
            if self._level == 1:
                items.append(bytes(self._rest[self._begin : end]))
                self._begin = -1
            self.complete = self._level == 0

    def _forget(self) -> None:
        used = self._at if self._begin < 0 else self._begin
        del self._rest[:used]
        self._at -= used
        self._begin = min(self._begin, 0)
        if len(self._rest) > self._max_item:
            raise NotAnArrayError(f"an item is larger than {self._max_item} bytes")
