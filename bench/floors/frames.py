"""The least that reading a frame takes: its envelope decoded, and nothing looked at."""

from __future__ import annotations

import msgspec


class Envelope(msgspec.Struct):
    """What every event has."""

    event: str = ""
    seq: int = -1
    data: msgspec.Raw = msgspec.Raw()
    broadcast: msgspec.Raw = msgspec.Raw()


decode = msgspec.json.Decoder(Envelope).decode
