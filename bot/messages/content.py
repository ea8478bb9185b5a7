"""What a message consists of, before it is rendered: a key of the catalogue and what is filled in.

Content is kept in records as JSON, and rendered when it is said. A plain string comes from outside, and is
escaped for the place where it will stand; everything else says here what it is.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, Union

import msgspec


class Text(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """A message of the catalogue. Whole numbers choose its plural."""

    key: str
    args: dict[str, Content | int] = {}


class Markdown(msgspec.Struct, frozen=True, tag=True):
    """Text that is Markdown already, and safe."""

    text: str


class Code(msgspec.Struct, frozen=True, tag=True):
    """Text to be copied as it is, from outside or not."""

    text: str


class Strong(msgspec.Struct, frozen=True, tag=True):
    """Text from outside that stands out."""

    text: str


class Url(msgspec.Struct, frozen=True, tag=True):
    """An address, to be shown or to be the destination of a link."""

    url: str


class Link(msgspec.Struct, frozen=True, tag=True):
    """A link that shows ``text``; where there are no links it is the text alone."""

    text: Content
    url: str


class Moment(msgspec.Struct, frozen=True, tag=True):
    """A time: ms since the epoch, shown in the time zone of this name."""

    at: int
    zone: str = ""


class Span(msgspec.Struct, frozen=True, tag=True):
    """From one time to another, both in ms since the epoch."""

    begin: int
    end: int
    zone: str = ""


class Listing(msgspec.Struct, frozen=True, tag=True):
    """One after the other, in a sentence."""

    items: list[Content]
    style: Literal["or", "standard"] = "standard"


class Lines(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """One below the other."""

    lines: list[Content]
    between: str = "\n"


class Table(msgspec.Struct, frozen=True, tag=True):
    """Rows below their headings."""

    head: list[Content]
    rows: list[list[Content]]


Content: TypeAlias = Union[  # noqa: UP007 - a string stands for itself, as in the records
    str, Text, Markdown, Code, Strong, Url, Link, Moment, Span, Listing, Lines, Table
]


def text(key: str, /, **args: Content | int) -> Text:
    """The message of this key, with what is filled in by name."""
    return Text(key, args)


def length(milliseconds: int) -> Text:
    """How long something lasted."""
    hours, minutes = divmod(round(max(0, milliseconds) / 60_000), 60)
    if not hours:
        return text("length-minutes", minutes=minutes) if minutes else text("length-none")
    return text("length-both", hours=hours, minutes=minutes) if minutes else text("length-hours", hours=hours)


def ago(milliseconds: int) -> Text:
    """How long it is to or from a time, roughly."""
    minutes = max(1, round(milliseconds / 60_000))
    hours = round(minutes / 60)
    if minutes < 60:
        return text("ago-minutes", count=minutes)
    return text("ago-hours", count=hours) if hours < 48 else text("ago-days", count=round(hours / 24))
