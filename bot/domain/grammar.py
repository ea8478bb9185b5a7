"""Turn a message into a command. Pure; the grammar is in ``docs/commands.md``."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import msgspec

_SPACED_ID = r"\d(?:[ -]?\d){7,12}"
_LINK = r"<?https?://\S+>?"

# What may follow each command's name; all of the rest must match.
_ARGUMENTS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for name, pattern in {
        "start": r".*",
        "connect": r"",
        "disconnect": r"",
        "help": r"",
        "end": r"",
        "settings": r"|pmi (?:always|never|ask)",
        "join": rf"me|{_SPACED_ID}|{_LINK}",
        "channel": r"allow|restrict|default|list",
        "subscribe": _SPACED_ID,
        "unsubscribe": _SPACED_ID,
        "subscriptions": r"",
        "webinar": r".*",
    }.items()
}

# The written answers to the bot's questions, for clients where buttons cannot be pressed.
ANSWERS = frozenset({"new", "existing", "personal", "unique", "yes", "no", "always", "never", "ask"})

_DROPPED = ",:!?."
_MARKUP = re.compile(
    r"^[ ]{0,3}(?P<fence>```+(?=[^`\n]*$)|~~~+).*?(?:^[ ]{0,3}(?P=fence)[`~]*[ \t]*$|\Z)"  # fenced code
    r"|^[ ]{0,3}>.*?$"  # a quoted line
    r"|(?:\A|(?<=\n\n))(?:(?:[ ]{4}|[ ]{0,3}\t)[^\n]*(?:\n|\Z))+"  # indented code
    r"|(?P<ticks>(?<!`)`+(?!`))(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=ticks)(?!`)",  # inline code
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Command:
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
    # Lets ``/zoom`` open a dialog; valid for three seconds.
    dialog_trigger: str = ""

    @property
    def direct(self) -> bool:
        """Whether it was asked in the direct channel with the bot."""
        return self.channel_type == "D"


def parse_message(message: str, *, bot_name: str, keyword: str = "", direct: bool = False) -> Command | None:
    """What a post asks for, or None when it is not for the bot. ``direct`` is true in its direct channel."""
    visible = _blank_markup(message)
    mention = _mention_of(bot_name).search(visible)
    if mention and not message[: mention.start()].strip():
        return parse_words(message[mention.end() :].lstrip(_DROPPED))
    if by_keyword := _parse_keyword(message, visible, keyword):
        return by_keyword
    asked = _parse_direct(message) if direct else None
    return Command("start") if mention and asked in (None, Command("usage")) else asked


def parse_words(words: str) -> Command:
    """What follows the mention, or ``/zoom``: a command, or else a topic to start."""
    words = words.strip()
    if not words.strip(_DROPPED):
        return Command("start")
    return _whole_command(words) or _bare_command(words) or Command("start", words)


def meeting_number(text: str) -> int:
    """The meeting id in ``123 4567 8901`` or ``123-456-789``."""
    return int(re.sub(r"\D", "", text))


def _parse_keyword(message: str, visible: str, keyword: str) -> Command | None:
    word, rest = _split(message)
    if not keyword or word.casefold() != keyword.casefold() or not visible.strip().startswith(word):
        return None
    return _whole_command(rest) if rest else Command("start")


def _parse_direct(message: str) -> Command:
    words = message.strip()
    if words.casefold() in ANSWERS:
        return Command("answer", words.casefold())
    name = _split(words)[0].casefold()
    return _whole_command(words) or Command("usage", name if name in _ARGUMENTS else "")


def _whole_command(words: str) -> Command | None:
    name, rest = _split(words)
    pattern = _ARGUMENTS.get(name.casefold())
    if pattern is None or not pattern.fullmatch(rest):
        return None
    return Command(name.casefold(), rest)


def _split(words: str) -> tuple[str, str]:
    """The first word and the rest; any white space may separate them."""
    first, *rest = words.split(maxsplit=1) or [""]
    return first, rest[0].strip() if rest else ""


def _bare_command(words: str) -> Command | None:
    """A command without the arguments it needs: shown its usage instead of being taken for a topic."""
    return Command("usage", words.casefold()) if words.casefold() in _ARGUMENTS else None


@functools.lru_cache(maxsize=8)
def _mention_of(bot_name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w@/])@{re.escape(bot_name)}(?!\w|-\w|\.\w)", re.IGNORECASE)


def _blank_markup(message: str) -> str:
    """The message with code and quotes blanked, so that positions stay true."""
    if not any(mark in message for mark in ("`", "~~~", ">", "    ", "\t")):
        return message
    return _MARKUP.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), message)
