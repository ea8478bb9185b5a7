"""The doctor: tries every setting against the real servers, and says how to fix what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable

from bot.config import Config
from bot.setup.findings import Finding, Level, note, wrong
from bot.setup.mattermost import check_mattermost
from bot.setup.store import check_store
from bot.setup.web import check_web
from bot.setup.zoom import check_zoom

__all__ = ["Finding", "Level", "check", "is_wrong"]

TIMEOUT_S = 60.0


async def check(config: Config) -> list[Finding]:
    """All findings: the warnings of the file, Mattermost, Zoom, the way in from outside, the store.

    Nothing is changed anywhere, and it works while the bot runs. Takes at most a minute.
    """
    groups = await asyncio.gather(
        _in_time("mattermost", check_mattermost(config)),
        _in_time("zoom", check_zoom(config)),
        _in_time("web", check_web(config)),
        _in_time("store", check_store(config)),
    )
    warnings = [note(*_split(warning)) for warning in config.warnings]
    return warnings + [finding for group in groups for finding in group]


def is_wrong(findings: Iterable[Finding]) -> bool:
    """Whether anything must be fixed."""
    return any(finding.level is Level.WRONG for finding in findings)


async def _in_time(subject: str, looking: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        return await asyncio.wait_for(looking, TIMEOUT_S)
    except TimeoutError:
        return [wrong(subject, f"could not be checked within {TIMEOUT_S:.0f} s")]


def _split(warning: str) -> tuple[str, str]:
    subject, _, text = warning.partition(": ")
    return subject, text
