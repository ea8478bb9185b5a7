"""Times as people read them. Pure; all in milliseconds since the epoch."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


def moment(at: int, zone: tzinfo) -> str:
    """A time with its zone's name, since readers do not know where the host is."""
    then = datetime.fromtimestamp(at / 1000, zone)
    return f"{_day(then)}, {_clock(then)} {then.tzname()}"


def span(begin: int, end: int, zone: tzinfo) -> str:
    """From when to when; the parts that both have in common appear once."""
    first, last = (datetime.fromtimestamp(at / 1000, zone) for at in (begin, end))
    if (first.date(), first.tzname()) != (last.date(), last.tzname()):
        return f"{moment(begin, zone)} – {moment(end, zone)}"
    clocks = dict.fromkeys([_clock(first), _clock(last)])
    return f"{_day(first)}, {'–'.join(clocks)} {last.tzname()}"


def length(milliseconds: int) -> str:
    """How long something lasted."""
    minutes = round(max(0, milliseconds) / 60_000)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def zone_of(name: str) -> tzinfo:
    """The time zone of this name; UTC if there is none."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, KeyError):
        return UTC


def _day(then: datetime) -> str:
    return f"{then:%a} {then.day} {then:%b %Y}"


def _clock(then: datetime) -> str:
    return f"{then:%H:%M}"
