"""The page's own Markdown: what Mattermost shows, and never anything else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages.markdown import escape, link
from tests.browser.conftest import MakeWindows
from tests.browser.windows import IN_BROWSER
from tests.conftest import MakeWorld

pytestmark = IN_BROWSER

RENDER = """async (texts) => {
  const { markdown } = await import("/page/markdown.js");
  return texts.map((text) => {
    const node = document.createElement("div");
    node.append(...markdown(text));
    return [node.innerHTML.replaceAll(' target="_blank" rel="noopener noreferrer"', ""), node.textContent,
      [...node.querySelectorAll("*")].flatMap((one) => [one.localName, ...one.getAttributeNames()]),
      [...node.querySelectorAll("a")].map((one) => one.protocol)];
  });
}"""

CASES = {
    "plain": "<p>plain</p>",
    "one\ntwo\n\nthree": "<p>one<br>two</p><p>three</p>",
    "**bold** *italic* __bold__ _italic_ ~~gone~~": "<p><strong>bold</strong> <em>italic</em> <strong>bold</strong>"
    " <em>italic</em> <del>gone</del></p>",
    "***both***": "<p><strong><em>both</em></strong></p>",
    "snake_case_name 2*3*4 * x": "<p>snake_case_name 2<em>3</em>4 * x</p>",
    r"\*not\* \_this\_ \[a\](b) \\ \<": r"<p>*not* _this_ [a](b) \ \&lt;</p>",
    "`a *b* <i>` and ``x`y``": "<p><code>a *b* &lt;i&gt;</code> and <code>x`y</code></p>",
    "```py\n<b>\n**x**\n```\nafter": '<pre tabindex="0"><code>&lt;b&gt;\n**x**</code></pre><p>after</p>',
    "```\nnever closed": '<pre tabindex="0"><code>never closed</code></pre>',
    "- a\n- b\n  - c\n\n1. x\n2. y": "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"
    '<ol start="1"><li>x</li><li>y</li></ol>',
    "> quoted\n> more": "<blockquote><p>quoted<br>more</p></blockquote>",
    "| A | B |\n| --- | :-: |\n| `x` | a \\| b |": '<div class="table" tabindex="0"><table><thead><tr><th>A</th>'
    '<th class="side-lr">B</th></tr></thead><tbody><tr><td><code>x</code></td><td class="side-lr">a | b</td></tr>'
    "</tbody></table></div>",
    "[a *b*](https://x.example/y?z=1 'no')": "<p>[a <em>b</em>]("
    "<a href=\"https://x.example/y?z=1\">https://x.example/y?z=1</a> 'no')</p>",
    '[a *b*](https://x.example/(y) "title")': '<p><a href="https://x.example/(y)">a <em>b</em></a></p>',
    "see https://x.example/a_b_c.": '<p>see <a href="https://x.example/a_b_c">https://x.example/a_b_c</a>.</p>',
    "<https://x.example/>": '<p><a href="https://x.example/">https://x.example/</a></p>',
    "![alt](https://x.example/i.png)": '<p><a href="https://x.example/i.png">alt</a></p>',
    "hi @alice. a@b.example": '<p>hi <span class="mention">@alice</span>. a@b.example</p>',
    "## Title ##": '<p class="heading" role="heading" aria-level="5">Title</p>',
    "a\n\n---\n\nb": "<p>a</p><hr><p>b</p>",
    "[x](javascript:alert(1))": "<p><span>x</span></p>",
    "[x](JaVaScRiPt&colon;alert(1)) [y](data:text/html,z) [z](//evil.example)": "<p><span>x</span> <span>y</span>"
    " <span>z</span></p>",
    "<img src=x onerror=alert(1)><script>alert(2)</script>": "<p>&lt;img src=x onerror=alert(1)&gt;"
    "&lt;script&gt;alert(2)&lt;/script&gt;</p>",
    "&lt;b&gt; &#60;i&#62;": "<p>&amp;lt;b&amp;gt; &amp;#60;i&amp;#62;</p>",
}

TAGS = frozenset(
    [
        "p",
        "br",
        "strong",
        "em",
        "del",
        "code",
        "pre",
        "ul",
        "ol",
        "li",
        "blockquote",
        "hr",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "a",
        "span",
    ]
)
ATTRIBUTES = frozenset(["href", "target", "rel", "class", "tabindex", "role", "aria-level", "start"])
PIECES = st.sampled_from(
    [
        "*",
        "**",
        "_",
        "__",
        "~~",
        "`",
        "```",
        "~~~",
        "[",
        "](",
        ")",
        "!",
        "<",
        ">",
        "|",
        "-",
        "1.",
        "#",
        "\\",
        "\n",
        "https://x.example",
        "javascript:",
        "@all",
        ":",
        "&",
        "word",
        "\n",
        "\n\n",
        "    ",
        "\n> ",
        "\n- ",
        "\n| a | b |\n|---|---|\n",
        "<script>",
        "onload=",
        '"',
    ]
)


async def test_messages_look_as_in_mattermost(make_world: MakeWorld, open_windows: MakeWindows) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    rendered = await page.evaluate(RENDER, list(CASES))
    assert {text: html for text, (html, *_) in zip(CASES, rendered, strict=True)} == CASES


async def test_whatever_is_written_only_known_elements_come_of_it(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    texts: list[str] = []

    @settings(max_examples=400, database=None, deadline=None)
    @given(st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join))
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    texts += [
        "*a " * 5000,
        "[" * 5000 + "]",
        "`" * 5000 + "a",
        "> " * 3000,
        "- " * 3000,
        "**" * 5000,
        "_a" * 5000,
    ]
    for _, _, names, protocols in await page.evaluate(RENDER, texts):
        assert set(names) <= TAGS | ATTRIBUTES
        assert set(protocols) <= {"http:", "https:"}


async def test_what_the_bot_escapes_is_shown_as_it_was_written(
    make_world: MakeWorld, open_windows: MakeWindows
) -> None:
    world = await make_world(start=False)
    page = await (await open_windows(world)).open("alice")
    topics = [
        "*a* _b_ [c](d) `e` # f",
        "@all www.x.example https://y.example",
        "<b>&amp;</b> | ~~g~~ \\",
        "1. x > y",
    ]
    shown = await page.evaluate(RENDER, [escape(topic) for topic in topics])
    for topic, (html, text, *_) in zip(topics, shown, strict=True):
        assert text.replace("\u200b", "") == topic
        assert "<a" not in html
        assert "mention" not in html
    linked = await page.evaluate(RENDER, [link(topic, "https://z.example/j/1?pwd=a.1") for topic in topics])
    assert all(html.count("<a") == 1 for html, *_ in linked)
