"""Cloud recordings, transcripts and summaries of an occurrence, and their download tokens."""

from __future__ import annotations

from bot.sandbox.zoom import ids, shapes
from bot.sandbox.zoom.clock import Clock
from bot.sandbox.zoom.models import Event, File, Json, Meeting, Occurrence

DOWNLOAD_MS = 24 * 3600 * 1000
# How long after the meeting's end Zoom publishes these, in ms.
READY_MS = {"recording": 60_000, "transcript": 120_000}


class Recordings:
    """Recordings, without I/O. Methods use ``run``, else the last occurrence. ``url`` is the server's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.url = ""
        # Zoom may leave the download token out of an event.
        self.gives_tokens = True
        self.files: dict[str, tuple[Meeting, File]] = {}
        self._tokens: dict[str, tuple[str, int]] = {}

    def publish(self, what: str, meeting: Meeting, run: Occurrence | None = None) -> list[Event]:
        """Publish a ``recording``, ``transcript`` or ``summary``, unless it exists already."""
        make = {"recording": self.record, "transcript": self.transcribe, "summary": self.summarize}[what]
        return [] if what in (run or meeting.last).published else make(meeting, run)

    def record(self, meeting: Meeting, run: Occurrence | None = None) -> list[Event]:
        """Publish a recording: video, audio, chat and timeline files."""
        run = self._prepare(meeting, run)
        files = [
            _file("MP4", "shared_screen_with_speaker_view", b"\0\0\0\x18ftypmp42" + bytes(4096), "video/mp4"),
            _file("M4A", "audio_only", b"\0\0\0\x18ftypM4A " + bytes(1024), "audio/mp4"),
            _file("CHAT", "chat_file", _chat(run), "text/plain", extension="TXT"),
            _file("TIMELINE", "timeline", b'{"timeline":[]}', "application/json", extension="JSON"),
        ]
        return [self._store(meeting, run, files, "recording.completed")]

    def transcribe(self, meeting: Meeting, run: Occurrence | None = None) -> list[Event]:
        """Publish a WebVTT transcript."""
        run = self._prepare(meeting, run)
        file = _file("TRANSCRIPT", "audio_transcript", _transcript(run), "text/vtt", extension="VTT")
        return [self._store(meeting, run, [file], "recording.transcript_completed")]

    def summarize(self, meeting: Meeting, run: Occurrence | None = None) -> list[Event]:
        """Publish a summary."""
        run = run or meeting.last
        run.summary = {
            "summary_overview": f"The team talked about {meeting.topic}.",
            "summary_details": [
                {"label": "Progress", "summary": "The work goes on as planned."},
                {"label": "Open questions", "summary": "Who tests the release is still to be found."},
            ],
            "next_steps": ["Alice writes the release notes.", "Bob tests the release."],
        }
        shape = shapes.summary(meeting, run)
        payload: Json = {"account_id": meeting.host.account_id, "object": shape}
        return [Event(name="meeting.summary_completed", payload=payload, at_ms=self._clock.now_ms())]

    def download_token(self, meeting_id: int) -> str:
        """A token for downloading one meeting's files, valid for a day."""
        token = ids.token()
        self._tokens[token] = (str(meeting_id), self._clock.now_ms() + DOWNLOAD_MS)
        return token

    def opens(self, token: str, meeting: Meeting) -> bool:
        """Whether a download token is valid for this meeting now."""
        meeting_id, until_ms = self._tokens.get(token, ("", 0))
        return meeting_id == str(meeting.id) and self._clock.now_ms() < until_ms

    def _prepare(self, meeting: Meeting, run: Occurrence | None) -> Occurrence:
        run = run or meeting.last
        if not run.started_ms:
            raise ValueError(f"meeting {meeting.id} never started")
        run.share_id = run.share_id or ids.user_id()
        run.passcode = run.passcode or ids.passcode()
        return run

    def _store(self, meeting: Meeting, run: Occurrence, files: list[File], event: str) -> Event:
        run.files += files
        for file in files:
            self.files[file.id] = (meeting, file)
        shape = shapes.recording(meeting, run, files, self.url)
        if event == "recording.transcript_completed":
            del shape["recording_play_passcode"]
        payload: Json = {"account_id": meeting.host.account_id, "object": shape}
        token = self.download_token(meeting.id) if self.gives_tokens else ""
        return Event(name=event, payload=payload, at_ms=self._clock.now_ms(), download_token=token)


def _file(kind: str, recording_type: str, content: bytes, content_type: str, *, extension: str = "") -> File:
    return File(
        id=ids.user_id(),
        type=kind,
        recording_type=recording_type,
        extension=extension or kind,
        content=content,
        content_type=content_type,
    )


def _speakers(run: Occurrence) -> list[str]:
    return list(dict.fromkeys(stay.name for stay in run.stays)) or ["Alice Demo"]


def _chat(run: Occurrence) -> bytes:
    lines = [
        f"00:0{index}:10\t {name}:\tHello, {name} here." for index, name in enumerate(_speakers(run)[:9])
    ]
    return "\r\n".join(lines).encode()


def _transcript(run: Occurrence) -> bytes:
    cues = [
        f"{index + 1}\n00:00:{index:02}.000 --> 00:00:{index:02}.900\n{name}: Good morning from {name}.\n"
        for index, name in enumerate(_speakers(run)[:50])
    ]
    return ("WEBVTT\n\n" + "\n".join(cues)).encode()
