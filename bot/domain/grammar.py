"""Turn a message into a command. Pure; the grammar is in ``docs/commands.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from bot.domain.mentions import INVISIBLE, find_mention, strip_blanks, text_after

# Between the digits of a meeting's number, also as other programs write them: spaces and dashes of any kind.
_GAP = rf"[\s\-\u2010-\u2015\u2212{INVISIBLE}]"
_NUMBER = rf"\d(?:{_GAP}{{0,3}}\d){{7,12}}"
# Punctuation that says nothing where it ends a command, or follows a mention.
_STOPS = ",:!?.;…。、，：！？；؟،؛"
# What may stand around a number, a link or a word.
_EDGES = rf"\s{INVISIBLE}`(<\[\"'“”„‚‘’«»‹›)>\]*_~#{_STOPS}"
_AROUND = rf"[{_EDGES}]*"
_PASSCODE = rf"(?:(?<=[{_EDGES}])(?:pass|pwd|pin|kenn)\S{{0,20}}[:\s]\s?\S{{1,20}}\s*)?"
_SPACED_ID = rf"{_AROUND}{_NUMBER}{_AROUND}{_PASSCODE}"
# Any text with a link in it; Zoom's own may lack the scheme.
_LINK = r".*(?:https?://|zoom(?:gov|-x)?\.(?:us|com|de)(?:\.cn)?/)\S.*"
# In an invitation whose link was cut off: "Meeting ID: …", "Webinar-ID: …", "ID de la réunion : …".
_CALLED_ID = rf"(?<![A-Za-z0-9])ID(?![A-Za-z0-9])[^\d\n]{{0,30}}({_NUMBER})(?!\d)"
_INVITATION = rf".*{_CALLED_ID}.*"


@dataclass(frozen=True, slots=True)
class Form:
    """What may follow a command's word: all of it must match."""

    pattern: re.Pattern[str]

    def fits(self, rest: str) -> bool:
        """Whether the rest of a message has this form."""
        return self.pattern.fullmatch(rest) is not None

    def found(self, rest: str) -> str | None:
        """The part of the rest that has this form: all of it, or all but what stands around it."""
        return next(filter(self.fits, (rest, bare(rest))), None)


def _form(pattern: str) -> Form:
    return Form(re.compile(pattern, re.IGNORECASE | re.DOTALL))


NOTHING = _form("")
TOPIC = _form(".*")
PERSON = _form(r"(?:@[\w.-]{0,63}[\w-])?")
MEETING_ID = _form(rf"{_SPACED_ID}|{_LINK}|{_INVITATION}")
MEETING = _form(rf"me|{_SPACED_ID}|{_LINK}|{_INVITATION}")


def words(*choices: str) -> Form:
    """One of these, as they are written here; an empty one lets the command stand alone."""
    return _form("|".join(map(re.escape, choices)))


# Behind these, other words are a topic.
_OPEN = (NOTHING, TOPIC, PERSON)
_EDGE = re.compile(rf"[{_EDGES}]")
# A command and what it takes, as in "join: …".
_NAMED = re.compile(rf"(\w+)[:,]\s*([^\s{re.escape(_STOPS)}].*)", re.DOTALL)
_ONLY_ID = re.compile(rf"{_AROUND}({_NUMBER}){_AROUND}{_PASSCODE}", re.IGNORECASE)
_ID_IN_INVITATION = re.compile(_CALLED_ID, re.IGNORECASE)
_MARKUP = re.compile(
    r"^[ ]{0,3}(?P<fence>```+(?=[^`\n]*$)|~~~+).*?(?:^[ ]{0,3}(?P=fence)[`~]*[ \t]*$|\Z)"  # fenced code
    r"|^[ ]{0,3}>.*?$"  # a quoted line
    r"|(?:\A|(?<=\n\n))(?:(?:[ ]{4}|[ ]{0,3}\t)[^\n]*(?:\n|\Z))+"  # indented code
    r"|(?P<ticks>(?<!`)`+(?!`))(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=ticks)(?!`)"  # inline code
    r"|https?://[^\s<]+",  # an address is no mention
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
        mention = find_mention(visible, bot_name)
        if mention and (rest := text_after(message, mention)) is not None:
            return self.parse_words(rest.lstrip(_STOPS))
        message = strip_blanks(message) if not message.isascii() else message
        if by_keyword := self._parse_keyword(message, visible, keyword):
            return by_keyword
        asked = self._parse_direct(message) if direct else None
        return ParsedCommand("start") if mention and asked in (None, ParsedCommand("usage")) else asked

    def parse_words(self, words: str) -> ParsedCommand:
        """What follows the mention, or ``/zoom``: a command, or else a topic to start."""
        words = strip_blanks(words)
        if not words.strip(_STOPS):
            return ParsedCommand("start")
        return self._whole_command(words) or self._misread(words) or ParsedCommand("start", words)

    def _parse_keyword(self, message: str, visible: str, keyword: str) -> ParsedCommand | None:
        word, rest = _split(message)
        if not keyword or word.casefold() != keyword.casefold() or not strip_blanks(visible).startswith(word):
            return None
        if not rest:
            return ParsedCommand("start")
        asked = self._whole_command(rest) or self._misread(rest)
        return None if asked == ParsedCommand("usage", rest) else asked

    def _parse_direct(self, message: str) -> ParsedCommand:
        words = strip_blanks(message)
        if (answer := bare(words).casefold()) in self._answers:
            return ParsedCommand("answer", answer)
        name = _split(words)[0].casefold()
        known = ParsedCommand("usage", name if name in self._forms else "")
        return self._whole_command(words) or self._misread(words) or known

    def _whole_command(self, words: str) -> ParsedCommand | None:
        name, rest = _split(words)
        form = self._forms.get(name.casefold())
        return ParsedCommand(name.casefold(), rest) if form and form.fits(rest) else None

    def _misread(self, words: str) -> ParsedCommand | None:
        """A command with punctuation, spaces or marks that do not belong to it; or one that needs a certain
        form, without it: the person is asked, and no topic is made of it."""
        name, rest = self._named(words)
        form = self._forms.get(name)
        if form is None:
            return None
        if (found := form.found(rest)) is not None:
            return ParsedCommand(name, found)
        return None if bare(rest) and form in _OPEN else ParsedCommand("usage", words)

    def _named(self, words: str) -> tuple[str, str]:
        """The command's name and what follows it. One that needs a certain form may be written ``join: …``,
        and a lone one may end with a full stop or the like."""
        marked = _NAMED.fullmatch(words)
        if marked and self._forms.get(marked[1].casefold(), TOPIC) not in _OPEN:
            return marked[1].casefold(), marked[2]
        name, rest = _split(words)
        return (name.casefold(), rest) if rest else (name.casefold().rstrip(_STOPS), "")


def bare(text: str) -> str:
    """The text without quotes, punctuation and marks around it, and with single spaces in it."""
    start, end = 0, len(text)
    while start < end and _EDGE.match(text, start):
        start += 1
    while end > start and _EDGE.match(text, end - 1):
        end -= 1
    return " ".join(text[start:end].split())


def meeting_number(text: str) -> int:
    """The meeting's number in ``123 4567 8901``, ``123-456-789`` or an invitation; 0 if there is none."""
    found = _ID_IN_INVITATION.search(text) or _ONLY_ID.fullmatch(text)
    return int(re.sub(r"\D", "", found[1])) if found else 0


def _split(words: str) -> tuple[str, str]:
    """The first word and the rest; any white space may separate them."""
    first, *rest = words.split(maxsplit=1) or [""]
    return strip_blanks(first), strip_blanks(rest[0]) if rest else ""


def _blank_markup(message: str) -> str:
    """The message with code and quotes blanked, so that positions stay true."""
    if not any(mark in message for mark in ("`", "~~~", ">", "    ", "\t", "://")):
        return message
    return _MARKUP.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), message)
