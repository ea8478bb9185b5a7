"""The pages that the bot shows in a browser. Pure; all values are escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape

from aiohttp import web

from bot.messages.catalogue import catalogue
from bot.messages.content import Content, Strong, text

_STYLE = """
:root{color-scheme:light dark;font-family:system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:Canvas;color:CanvasText}
main{max-width:26rem;padding:2rem;text-align:center;line-height:1.5;overflow-wrap:anywhere}
h1{font-size:1.35rem;margin:0 0 .75rem}
form{display:flex;gap:.75rem;justify-content:center;margin-top:1.5rem;flex-wrap:wrap}
button{font:inherit;padding:.6rem 1.2rem;border-radius:.5rem;border:1px solid #8a8f98;background:none;color:inherit;cursor:pointer}
button.main{background:#0b5cff;border-color:#0b5cff;color:#fff}
button:focus-visible{outline:3px solid #7aa7ff;outline-offset:2px}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

# The HTTP status of each value of ``features.linking.Problem``. The message keys end with these values.
PROBLEMS: Mapping[str, int] = {
    "unknown": 400,
    "expired": 400,
    "used": 400,
    "denied": 200,
    "refused": 400,
    "scope": 400,
    "unreachable": 502,
    "wrong-email": 403,
    "hidden-email": 403,
    "cancelled": 200,
    "added": 200,
    "server-error": 400,
    "busy": 400,
    "invalid-scope": 400,
    "unauthorized": 400,
    "invalid-request": 400,
    "not-granted": 400,
}


def problem_page(name: str) -> web.Response:
    """The page that explains why linking failed and what to do."""
    return _page(text(f"page-{name}"), [text(f"page-{name}-text")], PROBLEMS[name])


def linked_page(user_name: str, email: str) -> web.Response:
    """The page that says that the account is linked."""
    return _page(text("page-linked"), [text("page-linked-text", user=user_name, email=email)])


def question_page(user_name: str, email: str, action: str, hidden: Mapping[str, str]) -> web.Response:
    """The page that asks the person to confirm the link."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    shown = catalogue().html
    form = (
        f'<form method="post" action="{escape(action)}">{inputs}'
        f'<button class="main">{shown(text("page-question-link"))}</button>'
        f'<button name="cancel" value="1">{shown(text("page-question-cancel"))}</button></form>'
    )
    said = text("page-question-text", user=Strong(f"@{user_name}"), email=Strong(email))
    return _page(text("page-question", user=user_name), [said, text("page-question-warning")], form=form)


def starting_page() -> web.Response:
    """The page for any request while the bot is not ready yet."""
    return _not_now("page-starting")


def waiting_page() -> web.Response:
    """The page while the store does not take or answer anything. The same request again does no harm."""
    return _not_now("page-waiting")


def error_page() -> web.Response:
    """The page for an unexpected error."""
    return _page(text("page-error"), [text("page-error-text")], 500)


def _not_now(key: str) -> web.Response:
    page = _page(text(key), [text(f"{key}-text")], 503)
    page.headers["Retry-After"] = "5"
    return page


def _page(heading: Content, said: Sequence[Content], status: int = 200, *, form: str = "") -> web.Response:
    shown = catalogue().html
    title = shown(heading)
    paragraphs = "".join(f"<p>{shown(each)}</p>" for each in said)
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{paragraphs}{form}</main></body></html>"
    )
    return web.Response(status=status, text=html, content_type="text/html", headers=_HEADERS)
