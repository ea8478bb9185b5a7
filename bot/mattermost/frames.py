"""Parses the frames of Mattermost's WebSocket. Pure.

Events have ``event`` and ``seq``; answers to our pings have ``status`` and ``seq_reply``. The first event of
a new connection is ``hello``, with ``seq`` 0 and the ``connection_id`` that is needed to resume it.

Thousands of events arrive for each one that matters. So a frame is decoded once, into the few fields that the
bot reads of any event.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from bot.mattermost.decoding import IN_LOOP
from bot.mattermost.models import User
from bot.mattermost.nesting import decode_nested


@dataclass(frozen=True, slots=True)
class Hello:
    """The start of a new connection. Old servers send no ``connection_id``, so theirs cannot be resumed."""

    connection_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to our ping number ``seq``; ``server_time`` is in ms, 0 if missing."""

    seq: int
    server_time: int = 0
    unauthenticated: bool = False


class Data(msgspec.Struct, frozen=True, gc=False):
    """What the bot reads of an event's ``data``. Each kind of event has some of it; ``post`` is JSON."""

    post: str = ""
    channel_type: str = ""
    channel_name: str = msgspec.field(default="", name="channel_display_name")
    sender_name: str = ""
    team_id: str = ""
    channel_id: str = ""
    user_id: str = ""
    user: User | None = None
    # Of ``hello``, and of the answer to a ping.
    connection_id: str = ""
    server_time: int = 0


class Broadcast(msgspec.Struct, frozen=True, gc=False):
    """To whom an event was sent. Some events say their channel there alone."""

    channel_id: str = ""


class Problem(msgspec.Struct, frozen=True, gc=False):
    """Why Mattermost refuses what we sent."""

    status_code: int = 0


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event. ``seq_reply`` and ``error`` are only in answers, which are no events."""

    seq: int = -1
    name: str = msgspec.field(default="", name="event")
    data: Data | None = None
    broadcast: Broadcast | None = None
    seq_reply: int = 0
    error: Problem | None = None

    @property
    def size(self) -> int:
        """About how many characters it keeps in memory."""
        return len(self.data.post) if self.data is not None else 0


class RawEvent(Event, frozen=True, gc=False):
    """An event that is large, or whose fields are not as expected. ``raw`` is its undecoded ``data``."""

    raw: bytes = b""

    @property
    def size(self) -> int:
        """How many bytes it keeps in memory."""
        return len(self.raw)


Frame = Hello | Event | Reply


class _Envelope(msgspec.Struct):
    event: str = ""
    seq: int = -1
    seq_reply: int = 0
    data: msgspec.Raw = msgspec.Raw()
    broadcast: msgspec.Raw = msgspec.Raw()
    error: Problem | None = None


_decode = msgspec.json.Decoder(Event).decode
_envelopes = msgspec.json.Decoder(_Envelope)
_data = msgspec.json.Decoder(Data)
_broadcasts = msgspec.json.Decoder(Broadcast)
_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)


def read_frame(text: str | bytes) -> Frame | None:
    """Parse a frame; None if it is not one of Mattermost's."""
    if len(text) > IN_LOOP:
        return _read_raw(text)
    try:
        frame = _decode(text)
    except _UNREADABLE:
        return _read_raw(text)
    if frame.name and frame.name != "hello":
        return frame
    return _other(frame.name, frame.seq, frame.seq_reply, frame.data, frame.error)


def _read_raw(text: str | bytes) -> Frame | None:
    """The same with the event's ``data`` left as it is."""
    try:
        envelope = decode_nested(_envelopes, text)
        raw = bytes(envelope.data)
        if envelope.event and envelope.event != "hello":
            broadcast = _broadcast_in(envelope.broadcast)
            return RawEvent(envelope.seq, envelope.event, broadcast=broadcast, raw=raw)
        data = _data.decode(raw) if raw.startswith(b"{") else None
    except _UNREADABLE:
        return None
    return _other(envelope.event, envelope.seq, envelope.seq_reply, data, envelope.error)


def _broadcast_in(raw: msgspec.Raw) -> Broadcast | None:
    try:
        return _broadcasts.decode(raw)
    except _UNREADABLE:
        return None


def _other(
    name: str, seq: int, seq_reply: int, data: Data | None, error: Problem | None
) -> Hello | Reply | None:
    """What is no event: the answer to a ping, or ``hello``."""
    if name:
        return Hello(data.connection_id, seq) if data is not None else None
    if not seq_reply:
        return None
    if error is not None:
        return Reply(seq_reply, unauthenticated=error.status_code == 401)
    return Reply(seq_reply, data.server_time if data is not None else 0)


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
