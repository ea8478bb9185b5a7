"""Format times for people, with Babel. Pure; all times are in milliseconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import parse_pattern


@dataclass(frozen=True, slots=True)
class Dates:
    """The date and time format of one language: CLDR patterns, and a locale that names days and months."""

    locale: Locale
    day_pattern: str
    clock_pattern: str

    def moment(self, at: int, zone_name: str) -> str:
        """Format a time with the name of its zone, because readers do not know where the host is."""
        then = datetime.fromtimestamp(at / 1000, zone_of(zone_name))
        return f"{self._day(then)}, {self._clock(then)} {then.tzname()}"

    def span(self, begin: int, end: int, zone_name: str) -> str:
        """Format a period. Parts that both times have in common appear once."""
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
    """The time zone with this name; UTC if the name is empty or unknown."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, KeyError):
        return UTC
