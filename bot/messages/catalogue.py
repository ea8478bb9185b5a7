"""The messages of one language. Renders content as Markdown, plain text or HTML.

The sentences are in the language's ``.ftl`` file. Numbers, plurals and dates follow CLDR, through Babel.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.lists import format_list
from fluent.runtime import FluentBundle, FluentResource

from bot.messages import markdown
from bot.messages.content import (
    Code,
    Content,
    Lines,
    Link,
    Listing,
    Markdown,
    Moment,
    Span,
    Strong,
    Table,
    Text,
    Url,
)
from bot.messages.dates import Dates

log = logging.getLogger(__name__)

# Longer arguments are filled in after the message is formatted.
MAX_ARGUMENT = 500
# A character that nobody writes: it is for private use.
_MARK = "\ue0f3"
_MARKED = re.compile(rf"{_MARK}\d+{_MARK}")

# The locale of a language's numbers, dates and lists.
_LOCALES = {"en": "en_GB"}


@dataclass(frozen=True, slots=True)
class _Place:
    """How one output format writes the parts of a message."""

    escape: Callable[[str], str]
    code: Callable[[str], str]
    strong: Callable[[str], str]
    link: Callable[[str, str], str]


_MARKDOWN = _Place(
    markdown.escape,
    markdown.code,
    lambda text: f"**{markdown.escape(text)}**",
    lambda shown, url: f"[{shown}]({markdown.safe_url(url)})",
)
_PLAIN = _Place(markdown.plain, markdown.plain, markdown.plain, lambda shown, url: shown)
_HTML = _Place(
    html.escape, html.escape, lambda text: f"<strong>{html.escape(text)}</strong>", lambda shown, url: shown
)


@cache
def catalogue(language: str = "en") -> Catalogue:
    """The catalogue of a language, read on first use."""
    return Catalogue(language)


class Catalogue:
    """The messages of one language. An unknown key raises :class:`LookupError`."""

    def __init__(self, language: str) -> None:
        source = files("bot.messages").joinpath(f"{language}.ftl").read_text(encoding="utf-8")
        self.locale = Locale.parse(_LOCALES[language])
        # Direction marks around the arguments would break links and code.
        self._bundle = FluentBundle([str(self.locale).replace("_", "-")], use_isolating=False)
        self._bundle.add_resource(FluentResource(source))
        # Those without arguments. Labels and titles are shown again with each edit of a post.
        self._fixed: dict[str, str] = {}
        self._dates = Dates(self.locale, self._format("day-pattern", {}), self._format("clock-pattern", {}))

    def markdown(self, content: Content) -> str:
        """Render as Mattermost's Markdown, for messages and for the text and fields of cards."""
        return self._render(content, _MARKDOWN)

    def plain(self, content: Content) -> str:
        """Render as plain text that mentions nobody, for titles, buttons, footers and notifications."""
        return self._render(content, _PLAIN)

    def html(self, content: Content) -> str:
        """Render as HTML, for the web pages."""
        return self._render(content, _HTML)

    def _render(self, content: Content, place: _Place) -> str:
        match content:
            case str():
                return place.escape(content)
            case Text():
                args = {name: self._argument(value, place) for name, value in content.args.items()}
                return self._format(content.key, args)
            case Link():
                return place.link(self._render(content.text, place), content.url)
            case Url():
                return markdown.safe_url(content.url)
            case Code():
                return place.code(content.text)
            case Strong():
                return place.strong(content.text)
            case Markdown():
                return content.text
            case Moment():
                return self._dates.moment(content.at, content.zone)
            case Span():
                return self._dates.span(content.begin, content.end, content.zone)
        return self._render_several(content, place)

    def _render_several(self, content: Lines | Listing | Table, place: _Place) -> str:
        match content:
            case Lines():
                return content.between.join(self._render(each, place) for each in content.lines)
            case Listing():
                shown = [self._render(each, place) for each in content.items]
                return format_list(shown, style=content.style, locale=self.locale)
            case Table():
                rows = [content.head, *content.rows]
                lines = [f"| {' | '.join(self._render(each, place) for each in row)} |" for row in rows]
                return "\n".join([lines[0], "|" + " --- |" * len(content.head), *lines[1:]])

    def _argument(self, value: Content | int, place: _Place) -> str | int:
        return value if isinstance(value, int) else self._render(value, place)

    def _format(self, key: str, args: dict[str, str | int]) -> str:
        if args:
            return self._filled_in(key, args)
        if key not in self._fixed:
            self._fixed[key] = self._filled_in(key, args)
        return self._fixed[key]

    def _filled_in(self, key: str, args: dict[str, str | int]) -> str:
        message = self._bundle.get_message(key)
        if message.value is None:
            raise LookupError(key)
        # The library shows no message with an argument of over 1,000 characters, such as a long link.
        long = [name for name, value in args.items() if isinstance(value, str) and len(value) > MAX_ARGUMENT]
        marked = args | {name: f"{_MARK}{number}{_MARK}" for number, name in enumerate(long)}
        shown, errors = self._bundle.format_pattern(message.value, marked)
        for error in errors:
            # The error names what is missing, but quotes no argument.
            log.error("message %s: %s", key, error)
        if not long:
            return str(shown)
        whole = {f"{_MARK}{number}{_MARK}": str(args[name]) for number, name in enumerate(long)}
        return _MARKED.sub(lambda found: whole.get(found[0], ""), str(shown))
