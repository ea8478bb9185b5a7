"""Which Zoom scopes each feature needs; docs/zoom-setup.md has the same table. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """What a feature needs: all the granular scopes or all the classic ones, separated by spaces."""

    feature: str
    granular: str
    classic: str
    required: bool = False

    def lacking(self, given: set[str]) -> list[str]:
        """The granular scopes that are missing; none if the classic ones are there."""
        if given.issuperset(self.classic.split()):
            return []
        return [each for each in self.granular.split() if each not in given]


SCOPES = (
    Scope("Start meetings", "meeting:write:meeting", "meeting:write", required=True),
    Scope("Who the person is", "user:read:user", "user:read", required=True),
    Scope("How a meeting stands", "meeting:read:meeting", "meeting:read", required=True),
    Scope("Find a meeting again after a crash", "meeting:read:list_meetings", "meeting:read", required=True),
    Scope("Remove a meeting that was never announced", "meeting:delete:meeting", "meeting:write"),
    Scope("How long it lasted, where an event was missed", "meeting:read:past_meeting", "meeting:read"),
    Scope("`end`", "meeting:update:status", "meeting:write"),
    Scope("Whether the personal room is switched on", "user:read:settings", "user:read"),
    Scope("The events of who is in", "meeting:read:participant", "meeting:read"),
    Scope("Recordings and transcripts", "cloud_recording:read:list_recording_files", "recording:read"),
    Scope("The events of recordings", "cloud_recording:read:recording", "recording:read"),
    Scope("Summaries", "meeting:read:summary", "meeting_summary:read"),
    Scope(
        "Webinars",
        "webinar:write:webinar webinar:read:webinar webinar:update:status webinar:delete:webinar",
        "webinar:write webinar:read",
    ),
)


def lacking(granted: str, *, required: bool) -> Iterator[tuple[str, list[str]]]:
    """Each required (or each optional) feature that lacks scopes in a token, with the missing scopes."""
    given = {scope.removesuffix(":admin").removesuffix(":master") for scope in granted.split()}
    for scope in SCOPES:
        if scope.required == required and (missing := scope.lacking(given)):
            yield scope.feature, missing
