"""Times as people read them, by Babel. Pure; all in milliseconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import parse_pattern


@dataclass(frozen=True, slots=True)
class Dates:
    """How days and clocks are written in one language: CLDR patterns and the names of days and months."""

    locale: Locale
    day_pattern: str
    clock_pattern: str

    def moment(self, at: int, zone_name: str) -> str:
        """A time with its zone's name, since readers do not know where the host is."""
        then = datetime.fromtimestamp(at / 1000, zone_of(zone_name))
        return f"{self._day(then)}, {self._clock(then)} {then.tzname()}"

    def span(self, begin: int, end: int, zone_name: str) -> str:
        """From when to when; the parts that both have in common appear once."""
        zone = zone_of(zone_name)
        first, last = (datetime.fromtimestamp(at / 1000, zone) for at in (begin, end))
        if (first.date(), first.tzname()) != (last.date(), last.tzname()):
            return f"{self.moment(begin, zone_name)} – {self.moment(end, zone_name)}"
        clocks = dict.fromkeys([self._clock(first), self._clock(last)])
        return f"{self._day(first)}, {'–'.join(clocks)} {last.tzname()}"

    def _day(self, then: datetime) -> str:
        return parse_pattern(self.day_pattern).apply(then, self.locale)

    def _clock(self, then: datetime) -> str:
        return parse_pattern(self.clock_pattern).apply(then, self.locale)


def zone_of(name: str) -> tzinfo:
    """The time zone of this name; UTC if there is none."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, KeyError):
        return UTC
