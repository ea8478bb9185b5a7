"""The catalogue: every message that the code asks for is there, and is rendered for the place where it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from fluent.syntax import FluentParser
from fluent.syntax import ast as fluent
from fluent.syntax.visitor import Visitor

import bot
from bot.messages.card import Card, shown
from bot.messages.catalogue import Catalogue, catalogue
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
    ago,
    length,
    text,
)

SOURCE = files("bot.messages").joinpath("en.ftl").read_text(encoding="utf-8")
SHOWN = catalogue().markdown
# 24 November 2026, 09:30 UTC.
T = 1_795_512_600_000
MINUTE = 60_000


class Names(Visitor):
    """What a message has filled in, and which other messages it takes in."""

    def __init__(self) -> None:
        self.variables: set[str] = set()
        self.messages: set[str] = set()

    def visit_VariableReference(self, node: fluent.VariableReference) -> None:  # noqa: N802
        self.variables.add(node.id.name)

    def visit_MessageReference(self, node: fluent.MessageReference) -> None:  # noqa: N802
        self.messages.add(node.id.name)


def entries() -> dict[str, fluent.Message]:
    parsed = FluentParser().parse(SOURCE).body
    assert not [each.content for each in parsed if isinstance(each, fluent.Junk)]
    return {each.id.name: each for each in parsed if isinstance(each, fluent.Message)}


MESSAGES = entries()


def names_of(key: str) -> Names:
    names = Names()
    names.visit(MESSAGES[key])
    for other in names.messages.copy():
        names.variables |= names_of(other).variables
    return names


def trees() -> Iterator[ast.Module]:
    for path in sorted(Path(bot.__file__).parent.rglob("*.py")):
        if "sandbox" not in path.parts:
            yield ast.parse(path.read_text(encoding="utf-8"))


NODES = [node for tree in trees() for node in ast.walk(tree)]
LITERALS = {node.value for node in NODES if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def asked_for() -> Iterator[tuple[str, set[str]]]:
    """Every ``text(key, …)`` whose key is written there, and the names of its arguments."""
    for node in NODES:
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "text" or not node.args:
            continue
        key, args = node.args[0], {each.arg for each in node.keywords}
        if isinstance(key, ast.Constant):
            # Only ``questions.place`` is filled in as a whole.
            whole = {"place", "channel"} if None in args else set()
            yield str(key.value), {each for each in args if each} | whole


@cache
def composed() -> list[re.Pattern[str]]:
    """The f-strings that a key may come from."""
    found = []
    for node in NODES:
        if isinstance(node, ast.JoinedStr):
            parts = [each.value if isinstance(each, ast.Constant) else None for each in node.values]
            written = "".join(part for part in parts if isinstance(part, str))
            if re.fullmatch(r"[a-z]+-|-[a-z]+|[a-z]+--[a-z]+", written):
                found.append(
                    re.compile("".join(re.escape(str(part)) if part else "[a-z-]+" for part in parts))
                )
    return found


@pytest.mark.parametrize(("key", "args"), sorted({(key, tuple(sorted(args))) for key, args in asked_for()}))
def test_what_the_code_asks_for_is_in_the_catalogue(key: str, args: tuple[str, ...]) -> None:
    assert key in MESSAGES
    assert names_of(key).variables <= set(args), key


@pytest.mark.parametrize("key", sorted(MESSAGES))
def test_every_message_is_asked_for(key: str) -> None:
    taken_in = {other for each in MESSAGES for other in names_of(each).messages}
    assert key in LITERALS | taken_in or any(pattern.fullmatch(key) for pattern in composed()), key


def test_no_text_is_bound_at_import() -> None:
    """A module that is only imported has rendered nothing: the catalogue is read at its first use."""
    bound = [
        node.lineno
        for tree in trees()
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "catalogue"
    ]
    assert bound == []


@pytest.mark.parametrize(
    "content",
    [
        "from *outside*",
        text("problem", problem=text("zoom-limit-until", at=Moment(T), wait=ago(5 * MINUTE))),
        Lines([Markdown("**x**"), Strong("*"), Code("a`b"), Url("https://zoom.us/a b")], " "),
        Table([text("policy-channel")], [[Link("a|b", "https://zoom.us/j/1")], [Listing(["a", "b"], "or")]]),
        Span(T, T + MINUTE, "Europe/Berlin"),
    ],
)
def test_content_is_kept_as_it_is(content: Content) -> None:
    card = Card(content)
    kept = msgspec.json.decode(msgspec.json.encode(card), type=Card)
    assert kept == card
    assert shown(kept, catalogue()) == shown(card, catalogue())


def test_what_is_filled_in_is_escaped_for_its_place() -> None:
    said = text("subscribed-already", topic="*@all* <b>", id="1")
    assert SHOWN(said).endswith("meeting \\*@\u200ball\\* <\u200bb\\> (1).")
    assert catalogue().plain(said).endswith("meeting *@\u200ball* <b> (1).")
    assert catalogue().html(said).endswith("meeting *@all* &lt;b&gt; (1).")


def test_a_link_shows_its_text_where_there_are_no_links() -> None:
    said = text("duplicate-join", topic=Link("a](b", "https://zoom.us/j/1?pwd=x)y"))
    assert SHOWN(said) == "Here it is: [a\\]\\(b](https://zoom.us/j/1?pwd=x%29y)"
    assert catalogue().plain(said) == "Here it is: a](b"


def test_a_long_argument_is_filled_in_whole() -> None:
    url = "https://zoom.us/j/1?pwd=" + "x" * 4_000
    said = text("duplicate-join", topic=Link("standup", url))
    assert SHOWN(said) == f"Here it is: [standup]({url})"
    assert SHOWN(text("zoom-refused-because", reason="so " * 1_000)).count("so ") == 999


def test_a_table_keeps_its_columns_whatever_stands_in_it() -> None:
    table = Table([text("policy-channel"), text("policy-rule")], [["a | b\nc", "allow"]])
    assert SHOWN(table).splitlines() == ["| Channel | Rule |", "| --- | --- |", "| a \\| b c | allow |"]


@pytest.mark.parametrize(("count", "said"), [(1, "1 person"), (2, "2 people"), (1234, "1,234 people")])
def test_a_plural_follows_its_number(count: int, said: str) -> None:
    assert SHOWN(text("people", count=count)) == said


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0, "1 minute"),
        (59 * MINUTE, "59 minutes"),
        (80 * MINUTE, "1 hour"),
        (47 * 60 * MINUTE, "47 hours"),
        (48 * 60 * MINUTE, "2 days"),
    ],
)
def test_how_long_ago_is_said_roughly(milliseconds: int, said: str) -> None:
    assert SHOWN(ago(milliseconds)) == said


def test_a_key_that_is_none_is_an_error() -> None:
    with pytest.raises(LookupError):
        SHOWN(text("no-such-message"))


def test_what_is_missing_is_logged_without_what_is_filled_in(caplog: pytest.LogCaptureFixture) -> None:
    assert Catalogue("en").markdown(Text("subscribed-already", {"topic": "secret"}))
    assert "subscribed-already" in caplog.text
    assert "id" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (-MINUTE, "less than a minute"),
        (0, "less than a minute"),
        (29_000, "less than a minute"),
        (MINUTE, "1 min"),
        (59 * MINUTE + 29_000, "59 min"),
        (59 * MINUTE + 31_000, "1 h"),
        (60 * MINUTE, "1 h"),
        (62 * MINUTE, "1 h 2 min"),
        (25 * 60 * MINUTE, "25 h"),
    ],
)
def test_a_length_is_said_in_hours_and_minutes(milliseconds: int, shown: str) -> None:
    assert SHOWN(length(milliseconds)) == shown


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC", "Tue 24 Nov 2026, 09:30 UTC"),
        ("Europe/Berlin", "Tue 24 Nov 2026, 10:30 CET"),
        ("America/Los_Angeles", "Tue 24 Nov 2026, 01:30 PST"),
        ("Asia/Kathmandu", "Tue 24 Nov 2026, 15:15 +0545"),
    ],
)
def test_a_time_names_its_zone(zone: str, shown: str) -> None:
    assert SHOWN(Moment(T, zone)) == shown


# 25 October 2026, 00:59 UTC: a minute later the clocks of Berlin go back from three to two.
AUTUMN = 1_792_889_940_000


@pytest.mark.parametrize(
    ("begin", "end", "shown"),
    [
        (T, T, "Tue 24 Nov 2026, 10:30 CET"),
        (T, T + 62 * MINUTE, "Tue 24 Nov 2026, 10:30–11:32 CET"),
        (T, T + 14 * 60 * MINUTE, "Tue 24 Nov 2026, 10:30 CET – Wed 25 Nov 2026, 00:30 CET"),
        (AUTUMN, AUTUMN + 2 * MINUTE, "Sun 25 Oct 2026, 02:59 CEST – Sun 25 Oct 2026, 02:01 CET"),
    ],
)
def test_a_span_says_once_what_both_ends_have_in_common(begin: int, end: int, shown: str) -> None:
    assert SHOWN(Span(begin, end, "Europe/Berlin")) == shown
