"""The pages that the bot shows in a browser. Pure; every value that is filled in is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from aiohttp import web

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

# By the names of ``features.linking.Problem``: status, heading, what to do.
PROBLEMS: Mapping[str, tuple[int, str, str]] = {
    "unknown": (
        400,
        "This link is not valid",
        "It may be incomplete. In Mattermost, write “connect” to the Zoom bot in a direct message to get a new one.",
    ),
    "expired": (
        400,
        "This link has expired",
        "Links work for ten minutes. In Mattermost, write “connect” to the Zoom bot in a direct message to get a new one.",
    ),
    "used": (
        400,
        "This link has already been used",
        "Each link works once. In Mattermost, write “connect” to the Zoom bot in a direct message to get a new one.",
    ),
    "denied": (
        200,
        "Nothing was linked",
        "Zoom says you didn’t grant access. To try again, write “connect” to the Zoom bot in a direct message.",
    ),
    "refused": (
        400,
        "Zoom didn’t accept the sign-in",
        "Please write “connect” to the Zoom bot in a direct message and try again. If it happens again, tell your administrator.",
    ),
    "scope": (
        400,
        "The Zoom app is missing a permission",
        "Nothing was linked. Please tell your administrator that the Zoom app is missing a scope, which the log names.",
    ),
    "unreachable": (
        502,
        "Zoom couldn’t be reached",
        "Please write “connect” to the Zoom bot in a direct message and try again in a few minutes.",
    ),
    "wrong_email": (
        403,
        "This is another person’s Zoom account",
        "Your Zoom account must have the same e-mail address as your Mattermost account. "
        "Sign in to Zoom with that address, then write “connect” to the Zoom bot again.",
    ),
    "hidden_email": (
        403,
        "Your e-mail address is hidden",
        "Mattermost doesn’t show it to the Zoom bot, so it can’t be compared with your Zoom account’s address. "
        "Please ask your administrator to run “zoombot check”, which says how to fix it.",
    ),
    "cancelled": (200, "Nothing was linked", "You can close this page."),
}


def problem_page(name: str) -> web.Response:
    """Why linking failed, and what to do."""
    status, heading, text = PROBLEMS[name]
    return _page(heading, f"<p>{escape(text)}</p>", status)


def linked_page(user_name: str, email: str) -> web.Response:
    """The account is linked."""
    text = f"{email} is now linked to @{user_name}. You can close this page and go back to Mattermost."
    return _page("Zoom is connected", f"<p>{escape(text)}</p>")


def question_page(user_name: str, email: str, action: str, hidden: Mapping[str, str]) -> web.Response:
    """Ask the person to confirm the link."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    body = (
        f"<p>Meetings that <strong>@{escape(user_name)}</strong> starts in Mattermost will be created with "
        f"<strong>{escape(email)}</strong>.</p><p>If someone else sent you this link, cancel.</p>"
        f'<form method="post" action="{escape(action)}">{inputs}'
        '<button class="main">Link the account</button>'
        '<button name="cancel" value="1">Cancel</button></form>'
    )
    return _page(f"Link this Zoom account to @{user_name}?", body)


def error_page(status: int, heading: str, text: str) -> web.Response:
    """Something else went wrong."""
    return _page(heading, f"<p>{escape(text)}</p>", status)


def _page(heading: str, body: str, status: int = 200) -> web.Response:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(heading)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(heading)}</h1>{body}</main></body></html>"
    )
    return web.Response(status=status, text=html, content_type="text/html", headers=_HEADERS)
