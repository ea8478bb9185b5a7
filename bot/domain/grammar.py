"""Turn a message into a command. Pure; the grammar is in ``docs/commands.md``."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

_SPACED_ID = r"\d(?:[ -]?\d){7,12}"
_LINK = r"<?https?://\S+>?"


@dataclass(frozen=True, slots=True)
class Form:
    """What may follow a command's word: all of it must match."""

    pattern: re.Pattern[str]

    def fits(self, rest: str) -> bool:
        """Whether the rest of a message has this form."""
        return self.pattern.fullmatch(rest) is not None


def _form(pattern: str) -> Form:
    return Form(re.compile(pattern, re.IGNORECASE | re.DOTALL))


NOTHING = _form("")
TOPIC = _form(".*")
MEETING_ID = _form(_SPACED_ID)
MEETING = _form(rf"me|{_SPACED_ID}|{_LINK}")


def words(*choices: str) -> Form:
    """One of these, as they are written here; an empty one lets the command stand alone."""
    return _form("|".join(map(re.escape, choices)))


_DROPPED = ",:!?."
_MARKUP = re.compile(
    r"^[ ]{0,3}(?P<fence>```+(?=[^`\n]*$)|~~~+).*?(?:^[ ]{0,3}(?P=fence)[`~]*[ \t]*$|\Z)"  # fenced code
    r"|^[ ]{0,3}>.*?$"  # a quoted line
    r"|(?:\A|(?<=\n\n))(?:(?:[ ]{4}|[ ]{0,3}\t)[^\n]*(?:\n|\Z))+"  # indented code
    r"|(?P<ticks>(?<!`)`+(?!`))(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=ticks)(?!`)",  # inline code
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command and what follows it, as written: a topic, an id, a choice."""

    name: str
    argument: str = ""


class Request(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a person asked for, and where. Features are given this.

    ``trigger`` is the post that asked (empty for ``/zoom``), ``asked_at`` ms on our clock. ``channel_name``
    is the display name, ``channel_type`` Mattermost's letter: O, P, D or G.
    """

    command: str
    argument: str = ""
    trigger: str = ""
    user_id: str
    user_name: str = ""
    channel_id: str
    channel_type: str = ""
    channel_name: str = ""
    team_id: str = ""
    root_id: str = ""
    asked_at: int = 0
    # The answers that the person gave to the bot's questions so far.
    choices: list[str] = []
    # Whether it waited for the person to answer or link; they may have left the channel since.
    resumed: bool = False
    # Where to send a private answer; empty means by direct message.
    response_url: str = ""
    # What lets ``/zoom`` open a dialog, for three seconds (Mattermost's ``trigger_id``).
    dialog_id: str = ""
    # Whether ``/zoom`` asked: Mattermost does not say what channel it is, or whether the bot is in it.
    slash: bool = False

    @property
    def direct(self) -> bool:
        """Whether it was asked in the direct channel with the bot."""
        return self.channel_type == "D"


class Grammar:
    """The commands by name with the form that each takes, and the words that answer questions."""

    def __init__(self, forms: Mapping[str, Form], answers: frozenset[str] = frozenset()) -> None:
        self._forms = forms
        self._answers = answers

    def parse_message(
        self, message: str, *, bot_name: str, keyword: str = "", direct: bool = False
    ) -> ParsedCommand | None:
        """What a post asks for, or None when it is not for the bot. ``direct``: in its direct channel."""
        visible = _blank_markup(message)
        mention = _mention_of(bot_name).search(visible)
        if mention and not message[: mention.start()].strip():
            return self.parse_words(message[mention.end() :].lstrip(_DROPPED))
        if by_keyword := self._parse_keyword(message, visible, keyword):
            return by_keyword
        asked = self._parse_direct(message) if direct else None
        return ParsedCommand("start") if mention and asked in (None, ParsedCommand("usage")) else asked

    def parse_words(self, words: str) -> ParsedCommand:
        """What follows the mention, or ``/zoom``: a command, or else a topic to start."""
        words = words.strip()
        if not words.strip(_DROPPED):
            return ParsedCommand("start")
        return self._whole_command(words) or self._bare_command(words) or ParsedCommand("start", words)

    def _parse_keyword(self, message: str, visible: str, keyword: str) -> ParsedCommand | None:
        word, rest = _split(message)
        if not keyword or word.casefold() != keyword.casefold() or not visible.strip().startswith(word):
            return None
        return self._whole_command(rest) if rest else ParsedCommand("start")

    def _parse_direct(self, message: str) -> ParsedCommand:
        words = message.strip()
        if words.casefold() in self._answers:
            return ParsedCommand("answer", words.casefold())
        name = _split(words)[0].casefold()
        return self._whole_command(words) or ParsedCommand("usage", name if name in self._forms else "")

    def _whole_command(self, words: str) -> ParsedCommand | None:
        name, rest = _split(words)
        form = self._forms.get(name.casefold())
        return ParsedCommand(name.casefold(), rest) if form and form.fits(rest) else None

    def _bare_command(self, words: str) -> ParsedCommand | None:
        """The word of a command that needs more: asked for how it goes, rather than taken for a topic."""
        return ParsedCommand("usage", words.casefold()) if words.casefold() in self._forms else None


def meeting_number(text: str) -> int:
    """The meeting id in ``123 4567 8901`` or ``123-456-789``."""
    return int(re.sub(r"\D", "", text))


def _split(words: str) -> tuple[str, str]:
    """The first word and the rest; any white space may separate them."""
    first, *rest = words.split(maxsplit=1) or [""]
    return first, rest[0].strip() if rest else ""


@functools.lru_cache(maxsize=8)
def _mention_of(bot_name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w@/])@{re.escape(bot_name)}(?!\w|-\w|\.\w)", re.IGNORECASE)


def _blank_markup(message: str) -> str:
    """The message with code and quotes blanked, so that positions stay true."""
    if not any(mark in message for mark in ("`", "~~~", ">", "    ", "\t")):
        return message
    return _MARKUP.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), message)
