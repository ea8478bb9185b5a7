"""Parses what Zoom sends after a meeting: recordings, their files, summaries. Pure.

Fields may be absent, null, or not what they should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from bot.zoom import lenient
from bot.zoom.times import parse_time
from bot.zoom.webhooks import Webhook

T = TypeVar("T")

MAX_FILES = 20
# The files that people watch or hear.
_PLAYED = ("MP4", "M4A")


class File(msgspec.Struct, frozen=True):
    """One file of a recording. ``file_type`` is MP4, M4A, CHAT, TRANSCRIPT and the like."""

    id: str | int | None = None
    file_type: str | None = None
    download_url: str | None = None
    play_url: str | None = None
    recording_start: str | None = None
    recording_end: str | None = None
    status: str | None = None

    @property
    def ready(self) -> bool:
        """Whether Zoom has finished with it, as far as it says."""
        return self.status != "processing"


def covered(spans: Iterable[tuple[int, int]]) -> int:
    """How long these times are together (ms). They may overlap, and come in order of their starts."""
    total = until = 0
    for begin, end in spans:
        total += max(0, end - max(begin, until))
        until = max(until, end)
    return total


class Recording(msgspec.Struct, frozen=True):
    """``payload.object`` of recording events. ``password`` is the passcode that Zoom's page asks for."""

    share_url: str | None = None
    password: str | None = None
    recording_files: list[File] | None = None
    start_time: str | None = None

    def __repr__(self) -> str:
        return f"Recording({len(self.recording_files or [])} files)"

    @property
    def url(self) -> str:
        """The link to watch the recording, without a passcode; empty if Zoom sent none."""
        urls = [self.shared_url, *(file.play_url for file in self.recording_files or [])]
        return next((without_passcode(url) for url in urls if url and is_web(url)), "")

    @property
    def shared_url(self) -> str:
        """The link to all of its parts, without a passcode. Events have it; answers only have those of files,
        and then it is empty."""
        url = self.share_url or ""
        return without_passcode(url) if is_web(url) else ""

    @property
    def ready(self) -> bool:
        """Whether there is something to watch or hear, or Zoom names no such file."""
        found = [each for each in self.recording_files or [] if (each.file_type or "").upper() in _PLAYED]
        return not found or any(each.ready for each in found)

    @property
    def began(self) -> int:
        """When the recording began (ms), or else the meeting; 0 if unknown."""
        return self.spans[0][0] if self.spans else parse_time(self.start_time or "")

    @property
    def length(self) -> int:
        """The recorded time (ms), without pauses; 0 if unknown."""
        return covered(self.spans)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The start and end of each file, in order. Several files may cover the same time."""
        spans = [
            (parse_time(file.recording_start or ""), parse_time(file.recording_end or ""))
            for file in self.recording_files or []
        ]
        return sorted(span for span in spans if 0 < span[0] <= span[1])

    def files(self, file_type: str) -> list[File]:
        """The downloadable files of this type."""
        found = [file for file in self.recording_files or [] if (file.file_type or "").upper() == file_type]
        return [file for file in found if file.download_url and file.ready]


class Detail(msgspec.Struct, frozen=True):
    """A section of a summary."""

    label: str | None = None
    summary: str | None = None


class Summary(msgspec.Struct, frozen=True):
    """``payload.object`` of ``meeting.summary_completed``."""

    summary_overview: str | None = None
    # Sections may also be plain texts.
    summary_details: str | list[str | Detail] | None = None
    summary_content: str | None = None
    summary_doc_url: str | None = None
    next_steps: list[str] | None = None

    @property
    def overview(self) -> str:
        """A short overview of the meeting."""
        return self.summary_overview or ""

    @property
    def content(self) -> str:
        """The whole summary in Markdown, unless Zoom sends its sections. Newer events have only this."""
        return "" if self.details else self.summary_content or ""

    @property
    def document(self) -> str:
        """The address of the summary at Zoom; empty if there is none."""
        url = self.summary_doc_url or ""
        return url if is_web(url) else ""

    @property
    def details(self) -> list[tuple[str, str]]:
        """The sections, each with heading ("" if it has none) and text."""
        sections = [_section(each) for each in _listed(self.summary_details)]
        return [section for section in sections if section[1]]

    @property
    def steps(self) -> list[str]:
        """The next steps, unless the whole summary has them."""
        return [] if self.content.strip() else [step for step in self.next_steps or [] if step.strip()]


def read_recording(webhook: Webhook) -> Recording:
    """The recording in a webhook, as far as it can be read."""
    return lenient.read(webhook.object, Recording)


def finished(webhook: Webhook) -> Webhook:
    """The webhook of a recording, as if Zoom had finished with all of its files."""
    files = [
        msgspec.structs.replace(each, status=None) for each in read_recording(webhook).recording_files or []
    ]
    about = {**webhook.object, "recording_files": msgspec.to_builtins(files)}
    return msgspec.structs.replace(webhook, payload={**webhook.payload, "object": about})


def read_summary(webhook: Webhook) -> Summary:
    """The summary in a webhook, as far as it can be read."""
    return lenient.read(webhook.object, Summary)


def _listed(value: str | list[T] | None) -> Sequence[str | T]:
    return [value] if isinstance(value, str) else value or []


def _section(value: str | Detail) -> tuple[str, str]:
    if isinstance(value, str):
        return "", value
    return value.label or "", value.summary or ""


def without_passcode(url: str) -> str:
    """A recording's link without its passcode. The configuration decides who gets the passcode."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in query if name.lower() not in ("pwd", "passcode", "password")]
    return urlunsplit(parts._replace(query=urlencode(kept))) if kept != query else url


def is_web(url: str) -> bool:
    """Whether this is an http or https URL with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)
