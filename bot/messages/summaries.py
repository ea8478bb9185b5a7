"""Format a meeting summary by Zoom's AI Companion as a message. Pure.

The text is shown literally: it is escaped, and cut if the post would be too long.
"""

from __future__ import annotations

import textwrap
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from bot.messages.content import Content, Lines, Markdown, Strong, text
from bot.messages.markdown import escape

# A post can have 16,383 characters.
MAX_SUMMARY = 8_000
MAX_LINE = 1_000

# The heading of a section, and its lines as Markdown.
_Section = tuple[Content, list[str]]


def summary_text(
    topic: Content, overview: str, details: Iterable[tuple[str, str]], steps: Iterable[str]
) -> Lines | None:
    """Build the message. ``details`` are pairs of heading and text. Returns None if everything is empty."""
    sections: list[_Section] = [("", _lines(overview))]
    sections += [(Strong(heading[:MAX_LINE]), _lines(below)) for heading, below in details]
    sections.append((text("summary-steps"), [f"- {escape(step)}" for step in steps]))
    sections = [section for section in sections if section[1]]
    return Lines([text("summary", topic=topic), *_cut(sections)], "\n\n") if sections else None


def _lines(written: str) -> list[str]:
    """Escape each line. Lines longer than ``MAX_LINE`` are wrapped first."""
    lines = [part for line in written.splitlines() for part in textwrap.wrap(line, MAX_LINE) or [""]]
    return "\n".join(map(escape, lines)).strip().splitlines()


def _cut(sections: list[_Section]) -> list[Content]:
    """Keep as many whole lines as fit. A cut within a line could separate an escape from its character."""
    kept: list[Content] = []
    left = MAX_SUMMARY
    for heading, lines in sections:
        left -= len(heading.text) if isinstance(heading, Strong) else 0
        sizes = list(accumulate(len(line) + 1 for line in lines))
        fitting = lines[: bisect_right(sizes, left)]
        if fitting:
            below = Markdown("\n".join(fitting))
            kept.append(Lines([heading, below]) if heading else below)
        if len(fitting) < len(lines):
            return [*kept, text("summary-cut")]
        left -= sizes[-1]
    return kept
