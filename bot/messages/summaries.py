"""Format a meeting summary by Zoom's AI Companion as a message. Pure.

Its text is escaped, and cut if the post would be too long. Of Zoom's Markdown (``summary_content``) headings,
bold text and lists are kept; everything else in it is shown as plain text and leads nowhere.
"""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from bot.messages.content import Content, Lines, Link, Markdown, Strong, text
from bot.messages.markdown import escape

# A post can have 16,383 characters.
MAX_SUMMARY = 8_000
MAX_LINE = 1_000
# How much of Zoom's Markdown is read. A summary is far shorter.
MAX_CONTENT = 100_000

_HEADING = re.compile(r"#{1,6}[ \t]+(.*?)[ \t]*#*")
_ITEM = re.compile(r"([ \t]*)(?:[-*+•]|(\d{1,3})[.)])[ \t]+(.*)")
_RULE = re.compile(r"[ \t]*(?:(?:[-*_][ \t]*){3,}|={3,}[ \t]*)")
_BOLD = re.compile(r"\*{2,3}(?=[^\s*])(.+?)(?<=[^\s*])\*{2,3}|_{2,3}(?=[^\s_])(.+?)(?<=[^\s_])_{2,3}")
# A link or an image, of which only the words are shown.
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:[ \t]+\"[^\"]*\")?\)")
# Emphasis and code within a line, and what Markdown writes for a character.
_MARKS = re.compile(
    r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])|(?<!\w)_(?=\S)([^_]+?)(?<=\S)_(?!\w)|`([^`]+)`"
)
_BACKSLASH = re.compile(r"\\([\\`*_{}\[\]()#+.!>~|-])")

# The heading of a section, and its lines as Markdown.
_Section = tuple[Content, list[str]]


def summary_text(
    topic: Content,
    overview: str,
    details: Iterable[tuple[str, str]],
    steps: Iterable[str],
    *,
    content: str = "",
    document: str = "",
) -> Lines | None:
    """Build the message. ``details`` are pairs of heading and text, ``content`` is the whole summary in
    Markdown, and ``document`` is its address at Zoom. Returns None if everything is empty."""
    sections: list[_Section] = [("", _lines(overview) if not content else []), ("", _rendered(content))]
    sections += [(Strong(heading[:MAX_LINE]) if heading else "", _lines(below)) for heading, below in details]
    sections.append((text("summary-steps"), [f"- {escape(step)}" for step in steps]))
    sections = [section for section in sections if section[1]]
    below = _cut(sections)
    if document:
        below.append(Link(text("summary-document"), document))
    return Lines([text("summary", topic=topic), *below], "\n\n") if below else None


def _rendered(content: str) -> list[str]:
    """The lines of a summary in Zoom's Markdown as Mattermost's, without anything that mentions or leads
    elsewhere."""
    lines = (
        _line(part)
        for line in content[:MAX_CONTENT].splitlines()
        for part in textwrap.wrap(line, MAX_LINE) or [""]
    )
    # A heading ends the list or paragraph above it, and several empty lines are one.
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n").splitlines()


def _line(line: str) -> str:
    if _RULE.fullmatch(line):
        return ""
    if heading := _HEADING.fullmatch(line.strip()):
        words = escape(_plain(heading[1].replace("**", "").replace("__", "")))
        return f"\n**{words}**\n" if words else ""
    if item := _ITEM.fullmatch(line):
        depth = "  " * min(3, len(item[1].expandtabs(2)) // 2)
        return f"{depth}{item[2] + '.' if item[2] else '-'} {_inline(item[3])}"
    return _inline(line)


def _inline(words: str) -> str:
    """Words with their bold parts; the rest is escaped."""
    parts, end = [], 0
    for bold in _BOLD.finditer(words):
        inside = escape(_plain(bold[1] or bold[2]))
        parts += [_spaced(words[end : bold.start()]), f"**{inside}**" if inside else ""]
        end = bold.end()
    return "".join([*parts, _spaced(words[end:])]).strip()


def _spaced(words: str) -> str:
    """Escaped words with the space at their ends, which parts them from bold ones."""
    said = escape(_plain(words))
    if not said:
        return " " if words.isspace() else ""
    return " " * words[:1].isspace() + said + " " * words[-1:].isspace()


def _plain(words: str) -> str:
    """The words of links and emphasis alone."""
    bare = _MARKS.sub(lambda found: found[found.lastindex or 0], _LINK.sub(r"\1", words))
    return _BACKSLASH.sub(r"\1", bare)


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
