"""The frames of Mattermost's WebSocket, read as far as the connection needs. Pure.

Events carry ``event`` and ``seq``, answers to our own pings ``status`` and ``seq_reply``; the first event
of a new connection is ``hello`` with ``seq`` 0 and the ``connection_id`` by which it can be resumed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec


@dataclass(frozen=True, slots=True)
class Hello:
    """A new connection begins. Old servers send no ``connection_id``: those cannot be resumed."""

    connection_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened. ``data`` is its undecoded JSON, ``size`` the length of the whole frame."""

    seq: int
    name: str = ""
    data: msgspec.Raw = field(default_factory=msgspec.Raw)
    size: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to our ping number ``seq``; ``server_time`` in ms, 0 if it was not said."""

    seq: int
    server_time: int = 0
    unauthenticated: bool = False


Frame = Hello | Event | Reply


class _Problem(msgspec.Struct):
    status_code: int = 0
    id: str = ""


class _Envelope(msgspec.Struct):
    event: str = ""
    seq: int = -1
    seq_reply: int = 0
    data: msgspec.Raw = msgspec.Raw()
    error: _Problem | None = None


class _HelloData(msgspec.Struct):
    connection_id: str = ""


class _PongData(msgspec.Struct):
    server_time: int = 0


_envelopes = msgspec.json.Decoder(_Envelope)
_hellos = msgspec.json.Decoder(_HelloData)
_pongs = msgspec.json.Decoder(_PongData)


def read_frame(text: str | bytes) -> Frame | None:
    """The frame, or None for what is no frame of Mattermost's."""
    try:
        envelope = _envelopes.decode(text)
        if envelope.event == "hello":
            return Hello(_hellos.decode(envelope.data).connection_id, envelope.seq)
        if envelope.event:
            # A copy, since the original keeps the whole frame in memory.
            return Event(envelope.seq, envelope.event, envelope.data.copy(), len(text))
        if envelope.seq_reply:
            return _reply(envelope)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # The last for what is nested thousands deep.
        pass
    return None


def _reply(envelope: _Envelope) -> Reply:
    if envelope.error is not None:
        return Reply(envelope.seq_reply, unauthenticated=envelope.error.status_code == 401)
    data = bytes(envelope.data)
    return Reply(envelope.seq_reply, _pongs.decode(data).server_time if data.startswith(b"{") else 0)


def write_ping(seq: int) -> str:
    """A ping on the level of the application; only a server that still serves us answers it."""
    return f'{{"action":"ping","seq":{seq}}}'


class Sequence:
    """Which event comes next, and on which connection: what a resumption needs to know."""

    def __init__(self) -> None:
        self.connection_id = ""
        self.next_seq = 0

    def query(self) -> dict[str, str]:
        """The query that asks for a resumption; empty where there is nothing to resume."""
        if not self.connection_id:
            return {}
        return {"connection_id": self.connection_id, "sequence_number": str(self.next_seq)}

    def begin(self, hello: Hello) -> None:
        """A new connection took the place of whatever was there."""
        self.connection_id = hello.connection_id
        self.next_seq = hello.seq + 1

    def accept(self, event: Event) -> bool:
        """Whether ``event`` is the one that was due; then the next one is."""
        if event.seq != self.next_seq:
            return False
        self.next_seq += 1
        return True

    def forget(self) -> None:
        """Give the connection up: the next one begins afresh, and whoever listens catches up."""
        self.connection_id = ""
