"""Text from outside stays text: judged by a second Markdown parser, and by the rule of Mattermost's mentions."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.domain.topics import is_visible
from bot.messages.markdown import code, escape, link, plain, safe_url, sendable
from bot.sandbox.mattermost.mentions import names

GAP = "\u200b"
URL = "https://zoom.us/j/12345678901?pwd=a.b"

PIECES = st.sampled_from(
    [
        "@all",
        "@channel",
        "@here",
        "@zoom",
        "@alice",
        "@",
        "[",
        "]",
        "(",
        ")",
        "![",
        "](",
        "http://x.y",
        "www.x.y",
        "<",
        ">",
        "<b>",
        "<!--",
        "&",
        "&amp;",
        "&#64;all",
        "\\",
        "`",
        "```",
        "*",
        "**",
        "_",
        "__",
        "~~",
        "~town",
        "#",
        "# ",
        "- ",
        "+ ",
        "1. ",
        "1) ",
        "===",
        "---",
        "|",
        ":",
        ":smile:",
        ":)",
        "$x$",
        "\n",
        "\n\n",
        "    ",
        "\t",
        " ",
        "\u2028",
        "\x85",
        "\x00",
        "\u200b",
        "\u200d",
        "\u202e",
        "\ufeff",
        "a",
        "mailto:a@b.c",
        "{",
        "}",
        "{who}",
        "%s",
    ]
)
ANY_TEXT = st.text(alphabet=st.characters(categories=None)) | st.lists(PIECES, max_size=20).map("".join)


def mentioned(message: str) -> set[str]:
    """Whom Mattermost's server would find, generously: what follows an @, with and without the dots around."""
    words = re.findall(r"@([a-z0-9\-_.:]+)", message.lower())
    return {word.strip("-_.:") for word in words} | set(words)


def parsed(message: str) -> list[Token]:
    """The blocks of a message, as CommonMark and GitHub's tables and strike-through have them."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    # The destination as written.
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    return parser.parse(message)


def inline(message: str) -> list[Token]:
    """What the only paragraph of a message consists of."""
    blocks = parsed(message)
    assert [block.type for block in blocks] == ["paragraph_open", "inline", "paragraph_close"]
    return blocks[1].children or []


def cleaned(text: str) -> str:
    """What people are to see of a text: its visible characters, on one line."""
    visible = re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\ufeff\ud800-\udfff]", "", text)
    visible = re.sub(r"[\u180e\u202a-\u202e\u2060-\u206f\ufff9-\ufffb]", "", visible)
    return " ".join(visible.split())


def shown(tokens: list[Token]) -> str:
    return "".join(token.content for token in tokens).replace(GAP, "")


@given(ANY_TEXT)
@example("@all")
@example("x@all")
@example("@\u200ball")
@example("@\u200dall")
@example("\\@all")
@example("&#64;all")
@example("@@all @ all")
@example("@all.")
def test_a_text_mentions_nobody(text: str) -> None:
    for message in (escape(text), plain(text), link(text, "https://z/@all")):
        assert mentioned(message) & {"all", "here", "channel", "zoom", "alice"} == set()
        assert names([message]) & {"all", "here", "channel", "zoom", "alice"} == set()


@given(ANY_TEXT.filter(is_visible))
@example("[x](y)")
@example("a](b) ![c](d")
@example("\\")
@example("`")
@example("a\n\nb")
@example("1. one")
@example("===")
@example("---")
@example("    code")
@example("<b>&lt;")
@example("a" * 5000)
def test_a_text_is_shown_as_it_is(text: str) -> None:
    if not cleaned(text):
        return
    tokens = inline(escape(text))
    assert {token.type for token in tokens} <= {"text"}
    assert shown(tokens).strip() == cleaned(text)
    before = inline(f"They said: {escape(text)}")
    assert {token.type for token in before} <= {"text"}


@given(ANY_TEXT.filter(is_visible), st.text(alphabet=st.characters(categories=None)))
@example("a](http://evil) [b", "x) [y](z")
@example("a", "&lt;&amp; \" ' \\ <>")
@example("a", "%zz%4")
@example("a", "x 'title'")
def test_a_link_is_one_link_that_shows_its_text(text: str, url: str) -> None:
    if not cleaned(text):
        return
    url = f"https://zoom.us/{url}"
    opening, *inside, closing = inline(link(text, url))
    assert (opening.type, closing.type) == ("link_open", "link_close")
    assert {token.type for token in inside} == {"text"}
    assert opening.attrs == {"href": safe_url(url)}
    assert shown(inside).strip() == cleaned(text)


@given(ANY_TEXT)
@example("`")
@example("``a`b``")
@example(r"8?hA&5*@all\`")
def test_code_is_one_piece_to_be_copied_as_it_is(text: str) -> None:
    if not cleaned(text):
        return
    (token,) = inline(f"Passcode: {code(text)}")[1:]
    assert (token.type, token.content) == ("code_inline", cleaned(text))


@given(st.text(alphabet=st.characters(categories=None)))
def test_a_safe_url_cannot_end_a_destination_and_stays_as_it_is(url: str) -> None:
    safe = safe_url(url)
    assert re.fullmatch(r"[A-Za-z0-9\-._~:/?#!$&'*+,=%]*", safe)
    assert safe_url(safe) == safe


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        (URL, URL),
        ("https://zoom.us/w/1?tk=a_b-c.d~e&x=1#success", "https://zoom.us/w/1?tk=a_b-c.d~e&x=1#success"),
        ("https://zoom.us/j/1?pwd=%2Fx", "https://zoom.us/j/1?pwd=%2Fx"),
        ("https://zoom.us/j/1) [x](y", "https://zoom.us/j/1%29%20%5Bx%5D%28y"),
        ("https://zoom.us/é", "https://zoom.us/%C3%A9"),
        ("https://zoom.us/@all", "https://zoom.us/%40all"),
        ("https://zoom.us/?a&lt;b", "https://zoom.us/?a&lt%3Bb"),
        ("https://zoom.us/100%", "https://zoom.us/100%25"),
    ],
)
def test_a_url_is_encoded_where_it_must_be(url: str, safe: str) -> None:
    assert safe_url(url) == safe


@pytest.mark.parametrize(
    "text", ["plain words", "10:30 daily", "a, b. c?", "Über uns", "日本語", "👨‍👩‍👧", "می‌خواهم"]
)
def test_ordinary_text_is_not_touched(text: str) -> None:
    assert escape(text) == text
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("http://evil.example", "http://"),
        ("mattermost://x", "://"),
        ("www.evil.example", "www."),
        ("www2.evil.example", "www2."),
        ("mailto:a@b.c", "mailto:"),
        (":smile:", ":smile:"),
        (":)", ":)"),
        (":D", ":D"),
        ("#tag", "#tag"),
        ("~town-square", "~town"),
        ("$x$", "$x"),
        ("&copy;", "&copy"),
        ("<3", "<3"),
    ],
)
def test_what_only_mattermost_knows_is_text_too(text: str, broken: str) -> None:
    assert broken not in escape(text).replace("\\~", "")


@pytest.mark.parametrize("text", ["===", "---", "- x", "1. x", "1) x", "# x", "> x", "```", "| x |", "* * *"])
def test_a_text_on_a_line_of_its_own_makes_no_block(text: str) -> None:
    tokens = inline(f"They said:\n{escape(text)}")
    assert {token.type for token in tokens} <= {"text", "softbreak"}
    assert shown(tokens) == f"They said:{text}"


def test_a_cell_of_a_table_holds_any_text() -> None:
    blocks = parsed(f"| a | b |\n| --- | --- |\n| {escape('x | y `|` z')} | c |")
    cells = [each.children for each in blocks if each.type == "inline"]
    assert shown(cells[2] or []) == "x | y `|` z"


@given(st.text(alphabet=st.characters(categories=None)))
def test_what_is_sendable_is_utf8_and_otherwise_the_same(text: str) -> None:
    assert json.loads(json.dumps(sendable(text), ensure_ascii=False).encode()) == sendable(text)
    assert sendable(text) == re.sub(r"[\ud800-\udfff]", "?", text)
    escape(text).encode()
    plain(text).encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\u2028",
        "\u200b",
        "\u200d\u2060",
        "\ufeff",
        "\0",
        "\u3164",
        "\u115f\u1160",
        "\uffa0\u2800",
        "\ufe0f",
        "\u206a\ufff9\u180e",
    ],
)
def test_nothing_to_see_is_not_visible(text: str) -> None:
    assert not is_visible(text)
    assert is_visible(f"{text}x")
