"""Parses the frames of Mattermost's WebSocket as far as the connection needs them. Pure.

Events have ``event`` and ``seq``; answers to our pings have ``status`` and ``seq_reply``. The first event of
a new connection is ``hello``, with ``seq`` 0 and the ``connection_id`` that is needed to resume it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from bot.mattermost.nesting import decode_nested


@dataclass(frozen=True, slots=True)
class Hello:
    """The start of a new connection. Old servers send no ``connection_id``, so theirs cannot be resumed."""

    connection_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Event:
    """An event. ``data`` is its undecoded JSON, ``broadcast`` that of whom it was sent to (only for events
    that say their channel there alone), ``size`` the length of the whole frame."""

    seq: int
    name: str = ""
    data: msgspec.Raw = field(default_factory=msgspec.Raw)
    size: int = 0
    broadcast: msgspec.Raw = field(default_factory=msgspec.Raw)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to our ping number ``seq``; ``server_time`` is in ms, 0 if missing."""

    seq: int
    server_time: int = 0
    unauthenticated: bool = False


Frame = Hello | Event | Reply


# Events whose ``data`` does not name their channel.
_PLACED = frozenset({"user_added"})


class _Problem(msgspec.Struct):
    status_code: int = 0
    id: str = ""


class _Envelope(msgspec.Struct):
    event: str = ""
    seq: int = -1
    seq_reply: int = 0
    data: msgspec.Raw = msgspec.Raw()
    broadcast: msgspec.Raw = msgspec.Raw()
    error: _Problem | None = None


class _HelloData(msgspec.Struct):
    connection_id: str = ""


class _PongData(msgspec.Struct):
    server_time: int = 0


_envelopes = msgspec.json.Decoder(_Envelope)
_hellos = msgspec.json.Decoder(_HelloData)
_pongs = msgspec.json.Decoder(_PongData)


def read_frame(text: str | bytes) -> Frame | None:
    """Parse a frame; None if it is not one of Mattermost's."""
    try:
        envelope = decode_nested(_envelopes, text)
        if envelope.event == "hello":
            return Hello(_hellos.decode(envelope.data).connection_id, envelope.seq)
        if envelope.event:
            # A copy, because the original keeps the whole frame in memory.
            broadcast = envelope.broadcast.copy() if envelope.event in _PLACED else msgspec.Raw()
            return Event(envelope.seq, envelope.event, envelope.data.copy(), len(text), broadcast)
        if envelope.seq_reply:
            return _reply(envelope)
    except (msgspec.MsgspecError, UnicodeError):
        pass
    return None


def _reply(envelope: _Envelope) -> Reply:
    if envelope.error is not None:
        return Reply(envelope.seq_reply, unauthenticated=envelope.error.status_code == 401)
    data = bytes(envelope.data)
    return Reply(envelope.seq_reply, _pongs.decode(data).server_time if data.startswith(b"{") else 0)


def write_ping(seq: int) -> str:
    """An application-level ping. Only a server that still serves the connection answers it."""
    return f'{{"action":"ping","seq":{seq}}}'


class Sequence:
    """The connection's id and the number of the next event, which are needed to resume."""

    def __init__(self) -> None:
        self.connection_id = ""
        self.next_seq = 0

    def query(self) -> dict[str, str]:
        """The query that requests a resumption; empty if there is nothing to resume."""
        if not self.connection_id:
            return {}
        return {"connection_id": self.connection_id, "sequence_number": str(self.next_seq)}

    def begin(self, hello: Hello) -> None:
        """Replace the previous connection by a new one."""
        self.connection_id = hello.connection_id
        self.next_seq = hello.seq + 1

    def accept(self, event: Event) -> bool:
        """Whether ``event`` is the expected one. If it is, expect the next one."""
        if event.seq != self.next_seq:
            return False
        self.next_seq += 1
        return True

    def forget(self) -> None:
        """Give up the connection: the next one will be fresh, and the listener will catch up."""
        self.connection_id = ""
