"""``python -m tests.fuzz.with_atheris webhook -max_total_time=60``: coverage-guided, where atheris installs.

``pip install atheris`` (Linux, CPython up to 3.13). Targets: ``webhook``, ``frame``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def webhook(data: bytes) -> None:
    """A webhook's body, from the bytes to the event."""
    from bot.errors import EventError
    from bot.zoom.webhooks import identity, meeting_event, read_webhook

    with contextlib.suppress(EventError):
        read = read_webhook(data)
        identity(read)
        meeting_event(read, read.meeting)


def frame(data: bytes) -> None:
    """A frame of Mattermost's socket."""
    from bot.errors import EventError
    from bot.mattermost.events import read_posted
    from bot.mattermost.frames import Event, read_frame

    event = read_frame(data.decode("utf-8", "replace"))
    if isinstance(event, Event):
        with contextlib.suppress(EventError):
            read_posted(event)


TARGETS: dict[str, Callable[[bytes], None]] = {"webhook": webhook, "frame": frame}


PARTICIPANT = {"user_id": "16778240", "user_name": "Bob", "id": "", "email": ""}
MEETING = {"id": "89116471234", "uuid": "4+fW/w==", "start_time": "2026-01-01T10:00:00Z"}
# What the fuzzer begins with.
SEEDS: tuple[object, ...] = (
    {"event": "meeting.started", "event_ts": 1, "payload": {"object": MEETING}},
    {
        "event": "meeting.participant_joined",
        "event_ts": 1,
        "payload": {"object": {**MEETING, "participant": PARTICIPANT}},
    },
    {"event": "posted", "data": {"post": '{"id":"p","channel_id":"c","user_id":"u"}'}, "seq": 1},
    {"event": "hello", "data": {"connection_id": "c"}, "seq": 0},
    {"status": "OK", "seq_reply": 1, "data": {"server_time": 1}},
)


def main() -> None:
    """Fuzz the target that the first argument names; the others are libFuzzer's."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python -m tests.fuzz.with_atheris {{{','.join(TARGETS)}}} [libFuzzer's options]")
    atheris = importlib.import_module("atheris")
    target = TARGETS[sys.argv.pop(1)]
    with atheris.instrument_imports(include=["bot"]):
        target(b"{}")
    with tempfile.TemporaryDirectory(prefix="zoombot-fuzz-") as corpus:
        for number, seed in enumerate(SEEDS):
            (Path(corpus) / str(number)).write_text(json.dumps(seed), encoding="utf-8")
        atheris.Setup([*sys.argv, corpus], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
