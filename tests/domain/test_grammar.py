"""What people write, and what the bot takes it for."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.grammar import ParsedCommand, meeting_number
from bot.domain.topics import clean_topic
from bot.features import collect

ID = "123 4567 8901"
LINK = "https://zoom.us/j/12345678901?pwd=a.b"

GRAMMAR = collect().grammar
START = ParsedCommand("start")


def said(message: str, *, direct: bool = False, keyword: str = "zoom") -> ParsedCommand | None:
    return GRAMMAR.parse_message(message, bot_name="zoom", keyword=keyword, direct=direct)


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ("@zoom", START),
        ("@ZOOM", START),
        ("  @zoom  ", START),
        ("\n@zoom\n", START),
        ("@zoom standup", ParsedCommand("start", "standup")),
        ("@Zoom Standup with Ann", ParsedCommand("start", "Standup with Ann")),
        ("@zoom\tstandup", ParsedCommand("start", "standup")),
        ("@zoom\nstandup", ParsedCommand("start", "standup")),
        ("@zoom\u2028standup", ParsedCommand("start", "standup")),
        ("@zoom, standup", ParsedCommand("start", "standup")),
        ("@zoom: standup", ParsedCommand("start", "standup")),
        ("@zoom! standup", ParsedCommand("start", "standup")),
        ("@zoom?", START),
        ("@zoom!?", START),
        ("@zoom ...", START),
        ("@zoom. Standup.", ParsedCommand("start", "Standup.")),
        ("@zoom .NET guild", ParsedCommand("start", ".NET guild")),
        ("@zoom @zoom", ParsedCommand("start", "@zoom")),
        ("@zoom talk with @all", ParsedCommand("start", "talk with @all")),
        ("@zoom (standup)", ParsedCommand("start", "(standup)")),
        ("@zoom`standup`", ParsedCommand("start", "`standup`")),
        ("@zoom start", START),
        ("@zoom START retro", ParsedCommand("start", "retro")),
        ("@zoom start\nretro", ParsedCommand("start", "retro")),
        ("@zoom start\tretro", ParsedCommand("start", "retro")),
        ("@zoom start\r\nretro\r\nnow", ParsedCommand("start", "retro\r\nnow")),
        ("@zoom start\u00a0retro", ParsedCommand("start", "retro")),
        ("@zoom start\u2029retro", ParsedCommand("start", "retro")),
        ("@zoom starting up", ParsedCommand("start", "starting up")),
        ("@zoom connect", ParsedCommand("connect")),
        ("@zoom: Disconnect", ParsedCommand("disconnect")),
        ("@zoom help", ParsedCommand("help")),
        ("@zoom help me please", ParsedCommand("start", "help me please")),
        ("@zoom end", ParsedCommand("end")),
        ("@zoom end of day", ParsedCommand("start", "end of day")),
        ("@zoom settings", ParsedCommand("settings")),
        ("@zoom settings pmi Always", ParsedCommand("settings", "pmi Always")),
        ("@zoom settings for the demo", ParsedCommand("usage", "settings for the demo")),
        ("@zoom join me", ParsedCommand("join", "me")),
        (f"@zoom join {ID}", ParsedCommand("join", ID)),
        ("@zoom join 123-456-7890", ParsedCommand("join", "123-456-7890")),
        (f"@zoom join {LINK}", ParsedCommand("join", LINK)),
        (f"@zoom JOIN <{LINK}>", ParsedCommand("join", f"<{LINK}>")),
        ("@zoom join", ParsedCommand("usage", "join")),
        ("@zoom join the party", ParsedCommand("usage", "join the party")),
        ("@zoom join 12", ParsedCommand("usage", "join 12")),
        ("@zoom Join tomorrow", ParsedCommand("usage", "Join tomorrow")),
        ("@zoom subscribe weekly", ParsedCommand("usage", "subscribe weekly")),
        ("@zoom settings pmi perhaps", ParsedCommand("usage", "settings pmi perhaps")),
        ("@zoom end of quarter", ParsedCommand("start", "end of quarter")),
        ("@zoom connect four", ParsedCommand("start", "connect four")),
        ("@zoom help!", ParsedCommand("help")),
        ("@zoom End.", ParsedCommand("end")),
        ("@zoom subscriptions?", ParsedCommand("subscriptions")),
        ("@zoom join!", ParsedCommand("usage", "join!")),
        ("@zoom help !", ParsedCommand("help")),
        ("@zoom End…", ParsedCommand("end")),
        ("@zoom help？", ParsedCommand("help")),
        ("@zoom join me.", ParsedCommand("join", "me")),
        ("@zoom join `me`!", ParsedCommand("join", "me")),
        ("@zoom join: me", ParsedCommand("join", "me")),
        ("@zoom Join, me", ParsedCommand("join", "me")),
        (f"@zoom join:{LINK}", ParsedCommand("join", LINK)),
        ("@zoom join: tomorrow", ParsedCommand("usage", "join: tomorrow")),
        ("@zoom join:?", ParsedCommand("usage", "join:?")),
        ("@zoom join me please", ParsedCommand("usage", "join me please")),
        ("@zoom channel  restrict.", ParsedCommand("channel", "restrict")),
        ("@zoom channel: list", ParsedCommand("channel", "list")),
        ("@zoom settings  pmi   always!", ParsedCommand("settings", "pmi always")),
        ("@zoom connect @alice.", ParsedCommand("connect", "@alice")),
        ("@zoom end: the quarter", ParsedCommand("start", "end: the quarter")),
        ("@zoom joint venture", ParsedCommand("start", "joint venture")),
        ("@zoom，standup", ParsedCommand("start", "standup")),
        ("@zoom؛ standup", ParsedCommand("start", "standup")),
        ("_@zoom standup_", ParsedCommand("start", "standup")),
        ("**@zoom** standup", ParsedCommand("start", "standup")),
        ("***@zoom standup***", ParsedCommand("start", "standup")),
        ("~~@zoom help~~", ParsedCommand("help")),
        ("@zoom snake_case_", ParsedCommand("start", "snake_case_")),
        ("\u200f@zoom standup", ParsedCommand("start", "standup")),
        ("\u2068@zoom\u2069 standup", ParsedCommand("start", "standup")),
        ("\ufeff @zoom\u00a0standup", ParsedCommand("start", "standup")),
        ("@zoom\u200e: standup\u200e", ParsedCommand("start", "standup")),
        ("@zoom\u202fhelp\u200b", ParsedCommand("help")),
        ("@zoom\u2069: \u2068join\u2069 me", ParsedCommand("join", "me")),
        ("@zoom join\u200e me", ParsedCommand("join", "me")),
        ("@zoom\u2011standup", ParsedCommand("start", "\u2011standup")),
        ("@zoom- standup", ParsedCommand("start", "- standup")),
        ("@zoom channel", ParsedCommand("usage", "channel")),
        ("@zoom channel restrict", ParsedCommand("channel", "restrict")),
        ("@zoom channel tunnel", ParsedCommand("usage", "channel tunnel")),
        (f"@zoom subscribe {ID}", ParsedCommand("subscribe", ID)),
        ("@zoom subscriptions", ParsedCommand("subscriptions")),
        ("@zoom webinar town hall", ParsedCommand("webinar", "town hall")),
    ],
)
def test_a_message_that_begins_with_the_mention_is_a_command_or_else_a_topic(
    message: str, command: ParsedCommand
) -> None:
    assert said(message) == command
    assert said(message, keyword="") == command
    assert said(message, direct=True) == command


@pytest.mark.parametrize(
    "message",
    [
        "let's talk, @zoom?",
        "let's talk, @Zoom",
        "can you help @zoom",
        "(@zoom)",
        "see example.@zoom",
        "one-@zoom-two",
        "/@zoom",
        "it is @zoom's turn",
        "x :@zoom",
        "@alice/@zoom",
        "thanks,@zoom!",
        "first line\n@zoom standup",
        "> quoted\n@zoom standup",
        "`code` @zoom help",
        "```code``` @zoom",
        "```\ncode\n```\n@zoom",
        "a stray ` and\n\n@zoom and another `",
        "@zoomer and @zoom",
        "hello @zoom, and @zoom again",
    ],
)
def test_a_mention_elsewhere_starts_a_meeting_with_the_default_topic(message: str) -> None:
    assert said(message) == START
    assert said(message, direct=True) == START


@pytest.mark.parametrize(
    "message",
    [
        "",
        " ",
        "\u2028",
        "hello",
        "@channel",
        "@all hands",
        "@here zoom",
        "@zoomer standup",
        "@zoom-bot standup",
        "@zoom_bot",
        "@zoom.bot",
        "@zoom2",
        "@zoomé",
        "@zoom_standup",
        "a_@zoom",
        ":@zoom:",
        "@alice.@zoom",
        "https://example.com/a.@zoom.x",
        "www.example.com.@zoomer",
        "@ zoom",
        "@@zoom",
        "me@zoom",
        "mail alice@zoom.us",
        "https://example.com/@zoom",
        "`@zoom`",
        "`@zoom standup`",
        "``@zoom ` standup``",
        "see `@zoom` there",
        "`a\n@zoom`",
        "```\n@zoom\n```",
        "```text\n@zoom\n```",
        "  ```\n@zoom",
        "~~~\n@zoom\n~~~",
        "````\n```\n@zoom\n````",
        "~~~ `x`\n@zoom",
        "text\n```\n@zoom",
        "> @zoom",
        ">@zoom standup",
        "  > hello @zoom",
        "hi\n> @zoom",
        "    @zoom",
        "\t@zoom",
        "    a\n    @zoom",
        "hi\n\n    @zoom",
        "hi\n\n    a\n    @zoom standup",
        "zoomer",
        "zoom end of day",
        "zoom is slow",
        "Zoom help me",
        "zoom!",
        "zoom, start",
        "zoom: start",
        "zoom?",
        "please zoom",
        "zoom join the party",
        "zoom join: the party",
        "zoom join!",
        "zoom end: the quarter",
        "zoom join",
        "zoom channel",
        "zoom settings for the demo",
        "zoom start-up",
        "`zoom`",
        "`zoom start`",
        "> zoom",
        "    zoom",
        "\tzoom start",
        "```\nzoom\n```",
        "start",
        "help",
        "yes",
    ],
)
def test_talk_code_quotes_and_other_names_ask_for_nothing(message: str) -> None:
    assert said(message) is None


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ("zoom", START),
        ("ZOOM", START),
        (" Zoom\n", START),
        ("zoom start", START),
        ("zoom start retro", ParsedCommand("start", "retro")),
        ("zoom START retro", ParsedCommand("start", "retro")),
        ("zoom  start   retro", ParsedCommand("start", "retro")),
        ("zoom\nstart retro", ParsedCommand("start", "retro")),
        ("\u200fzoom start retro", ParsedCommand("start", "retro")),
        ("\u2068zoom\u2069 \u200estart retro", ParsedCommand("start", "retro")),
        ("zoom\u00a0start\u00a0retro", ParsedCommand("start", "retro")),
        ("zoom start `retro`", ParsedCommand("start", "`retro`")),
        ("zoom start with @zoom", ParsedCommand("start", "with @zoom")),
        ("zoom help", ParsedCommand("help")),
        ("zoom help!", ParsedCommand("help")),
        ("zoom channel list.", ParsedCommand("channel", "list")),
        ("zoom end", ParsedCommand("end")),
        ("zoom join me", ParsedCommand("join", "me")),
        (f"zoom join {LINK}", ParsedCommand("join", LINK)),
        ("zoom webinar town hall", ParsedCommand("webinar", "town hall")),
    ],
)
def test_the_keyword_counts_when_nothing_or_a_whole_command_follows(
    message: str, command: ParsedCommand
) -> None:
    assert said(message) == command
    assert said(message, keyword="ZOOM") == command
    assert said(message, direct=True) == command


def test_an_empty_keyword_turns_it_off() -> None:
    assert said("zoom", keyword="") is None
    assert said("zoom start retro", keyword="") is None
    assert said(" ", keyword="") is None


def test_the_keyword_may_be_another_word() -> None:
    assert said("Konferenz start", keyword="konferenz") == START
    assert said("STRASSE", keyword="straße") == START
    assert said("zoom", keyword="konferenz") is None


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ("start", START),
        ("Start retro", ParsedCommand("start", "retro")),
        ("start\nretro", ParsedCommand("start", "retro")),
        ("help", ParsedCommand("help")),
        ("HELP", ParsedCommand("help")),
        ("connect", ParsedCommand("connect")),
        (f"join {ID}", ParsedCommand("join", ID)),
        ("settings pmi never", ParsedCommand("settings", "pmi never")),
        ("New", ParsedCommand("answer", "new")),
        ("existing", ParsedCommand("answer", "existing")),
        ("personal", ParsedCommand("answer", "personal")),
        ("unique", ParsedCommand("answer", "unique")),
        ("yes", ParsedCommand("answer", "yes")),
        ("Yes!", ParsedCommand("answer", "yes")),
        ("`new`", ParsedCommand("answer", "new")),
        ("yes please", ParsedCommand("usage")),
        ("help !", ParsedCommand("help")),
        ("join", ParsedCommand("usage", "join")),
        ("Join the party", ParsedCommand("usage", "Join the party")),
        ("join @zoom", ParsedCommand("usage", "join @zoom")),
        ("help!", ParsedCommand("help")),
        ("\u200ehelp", ParsedCommand("help")),
        ("\u2068start\u2069 retro", ParsedCommand("start", "retro")),
        ("connect me", ParsedCommand("usage", "connect")),
        ("what is this?", ParsedCommand("usage")),
        ("zoom end of day", ParsedCommand("usage")),
        ("`help`", ParsedCommand("usage")),
        ("> @zoom", ParsedCommand("usage")),
        ("", ParsedCommand("usage")),
    ],
)
def test_a_direct_message_is_a_bare_command_or_gets_help(message: str, command: ParsedCommand) -> None:
    assert said(message, direct=True) == command


@pytest.mark.parametrize("name", ["zoom", "zoom-bot", "z.o.m", "zoom_2", "a+b(c"])
def test_the_mention_is_the_accounts_own_name(name: str) -> None:
    assert GRAMMAR.parse_message(f"@{name} retro", bot_name=name) == ParsedCommand("start", "retro")
    assert GRAMMAR.parse_message(f"@{name.upper()}: help", bot_name=name) == ParsedCommand("help")
    assert GRAMMAR.parse_message(f"@{name}x retro", bot_name=name) is None
    assert GRAMMAR.parse_message("@zozm retro", bot_name=name) is None


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("", START),
        (" ?! ", START),
        ("standup", ParsedCommand("start", "standup")),
        ("help", ParsedCommand("help")),
        ("join", ParsedCommand("usage", "join")),
        ("end of day", ParsedCommand("start", "end of day")),
    ],
)
def test_a_slash_command_has_the_grammar_of_the_mention(words: str, command: ParsedCommand) -> None:
    assert GRAMMAR.parse_words(words) == command


# Texts made of what the grammar looks at are nastier than random ones.
PIECES = st.sampled_from(
    [
        "@zoom",
        "@Zoom",
        "zoom",
        "@zoomer",
        "@zoom-bot",
        "@all",
        "start",
        "join",
        "end",
        "help",
        "retro",
        ID,
        LINK,
        "`",
        "``",
        "```",
        "~~~",
        ">",
        " ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        "\u2028",
        "\x85",
        ",",
        ":",
        ".",
        "<",
        "-",
        "_",
        "*",
        "\\",
        "\x00",
        "İ",
        "ſ",
        "\u200b",
        "😀",
        "/",
    ]
)
NASTY = st.lists(PIECES, max_size=30).map("".join)


@given(st.text() | NASTY, st.booleans(), st.sampled_from(["", "zoom", "konferenz"]))
@example("`" * 9000 + "a", False, "zoom")
@example("`a``a```a" * 1500, False, "zoom")
@example("\n\n    " * 2500, False, "zoom")
@example("@zoom join 12345678" + "!" * 16000 + "x", False, "zoom")
@example("@zoom join 12345678 pass" + ":" * 16000 + " a b", False, "zoom")
@example("@zoom join " + "ID " * 5000 + "x", False, "zoom")
@example("@zoom join " + "(" * 16000 + "x" + ")" * 16000 + "x", False, "zoom")
def test_the_grammar_answers_every_text(message: str, direct: bool, keyword: str) -> None:
    command = said(message, direct=direct, keyword=keyword)
    assert command is not None or not direct
    assert command is None or command.argument == command.argument.strip()


@given(st.text() | NASTY)
def test_a_text_without_mention_or_keyword_is_never_answered_in_a_channel(message: str) -> None:
    lower = message.lower()
    if "@zoom" not in lower and lower.split()[:1] != ["zoom"]:
        assert said(message) is None


@given(st.text() | NASTY)
def test_a_text_in_code_or_quotes_is_never_answered_in_a_channel(message: str) -> None:
    one_line = " ".join(message.split())
    quoted = "\n".join(f"> {line}" for line in message.split("\n"))
    assert said(quoted) is None
    assert said("~~~~~~\n" + message.replace("~", "") + "\n~~~~~~") is None
    assert said("    " + one_line) is None
    assert said("`` " + one_line.replace("`", "") + " ``") is None


@given(st.text())
def test_whatever_follows_the_mention_is_asked_for_as_slash_zoom_asks(words: str) -> None:
    assert said(f"@zoom {words}") == GRAMMAR.parse_words(words)


@pytest.mark.parametrize(
    ("topic", "cleaned"),
    [
        ("standup", "standup"),
        ("  stand up ", "stand up"),
        ("a\nb", "a b"),
        ("a\r\nb", "a b"),
        ("a\u2028b\u2029c\x85d\ve\ff", "a b c d e f"),
        ("a\0b", "ab"),
        ("a\ud800b", "ab"),
        ("@all [x](y) `z`", "@all [x](y) `z`"),
        ("x" * 300, "x" * 200),
        ("x" * 199 + " yz", "x" * 199),
        ("", "fallback"),
        (" \n ", "fallback"),
        ("\u200b", "fallback"),
    ],
)
def test_zoom_gets_the_topic_as_written_on_one_line_of_200_characters(topic: str, cleaned: str) -> None:
    assert clean_topic(topic, "fallback") == cleaned


@given(st.text(alphabet=st.characters(categories=None)))
def test_every_topic_is_one_line_of_text_that_can_be_seen(topic: str) -> None:
    cleaned = clean_topic(topic, "fallback")
    assert 0 < len(cleaned) <= 200
    assert len(cleaned.splitlines()) == 1
    assert cleaned == cleaned.strip()
    cleaned.encode()
    assert clean_topic(cleaned, "other") == cleaned


NUMBERS = [
    ID,
    "12345678901",
    "123-4567-8901",
    "123\u00a04567\u00a08901",
    "123\u20114567\u20118901",
    "123\u20074567 8901.",
    "`123 4567 8901`",
    "(123–4567–8901)",
    "Meeting ID: 123 4567 8901\nPasscode: 123456",
    "ID: 123 4567 8901",
    "Meeting-ID: 123 4567 8901, Kenncode: 1234",
    "Webinar ID:\u00a0123 4567 8901",
    "ID de la réunion : 123 4567 8901",
    "ミーティングID: 123 4567 8901",
    "123 4567 8901 (Passcode: 123456)",
    "#12345678901",
    "123  4567\t8901",
    "123\u200b4567\u2069 8901",
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", ["join", "subscribe", "unsubscribe"])
def test_a_number_is_read_as_other_programs_write_it(name: str, number: str) -> None:
    assert said(f"@zoom {name} {number}") == ParsedCommand(name, number)
    assert meeting_number(number) == 12345678901


PASTED = [
    LINK,
    f"<{LINK}>",
    f"{LINK}.",
    f"({LINK})",
    f"[Zoom]({LINK})",
    f"`{LINK}`",
    f"{LINK} please",
    "zoom.us/j/12345678901?pwd=a.b",
    "us02web.zoom.us/j/12345678901",
    f"Alice is inviting you.\n\nJoin Zoom Meeting\n{LINK}\n\nMeeting ID: {ID}\nPasscode: 1",
]


@pytest.mark.parametrize("pasted", PASTED)
@pytest.mark.parametrize("name", ["join", "subscribe"])
def test_a_pasted_link_is_never_a_topic(name: str, pasted: str) -> None:
    assert said(f"@zoom {name} {pasted}") == ParsedCommand(name, pasted)
    assert GRAMMAR.parse_words(f"{name} {pasted}") == ParsedCommand(name, pasted)


@pytest.mark.parametrize("text", NUMBERS)
def test_a_meeting_number_may_be_written_in_groups(text: str) -> None:
    assert meeting_number(text) == 12345678901
