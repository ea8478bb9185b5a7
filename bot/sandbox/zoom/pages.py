"""HTML pages for people: the page layout, the consent page and the error page."""

from __future__ import annotations

from html import escape

from aiohttp import web
from yarl import URL

from bot.sandbox.assets import page_headers
from bot.sandbox.zoom.models import User


def page(title: str, body: str, *, status: int = 200, form_action: str = "") -> web.Response:
    """A whole page. ``title`` is text, ``body`` is HTML."""
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<title>{escape(title)} · Sandbox Zoom</title><link rel="icon" href="/page/icon.svg">'
        f'<link rel="stylesheet" href="/page/base.css"><link rel="stylesheet" href="/page/zoom.css">'
        '<script type="module" src="/page/zoom.js"></script>'
        '</head><body class="zoom"><header class="strip"><a href="/">Sandbox Zoom</a>'
        "<span>Nothing here is real: this page plays Zoom’s part.</span></header>"
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    headers = page_headers(form_action=form_action)
    return web.Response(text=html, content_type="text/html", status=status, headers=headers)


def live(html: str, url: str = "") -> str:
    """A part of a page that is updated by its buttons and by polling ``url``."""
    said = '<p id="said" class="problem" role="alert"></p>'
    return f'{said}<div id="live" data-url="{escape(url)}">{html}</div>'


def refusal(reason: str, *, status: int = 400) -> web.Response:
    """An error page."""
    return page("This did not work", f"<p>{escape(reason)}</p>", status=status)


def consent(asked: dict[str, str], users: list[User], scopes: str) -> web.Response:
    """The consent page. The authorization parameters are kept in hidden fields."""
    choices = "".join(_choice(user) for user in users)
    wanted = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in scopes.split())
    fields = "".join(hidden(name, value) for name, value in asked.items())
    return page(
        "Allow this app to use your Zoom account?",
        "<p><strong>Zoom for Mattermost</strong> would like to start meetings for you, and to see when they"
        " begin and end.</p>"
        f'<form method="post" action="/oauth/authorize">{fields}'
        f"<fieldset><legend>Your account <small>(required)</small></legend>{choices}</fieldset>"
        f"<details><summary>What it may do</summary><ul>{wanted}</ul></details>"
        '<p class="buttons"><button class="main" name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny" formnovalidate>Deny</button></p></form>',
        form_action=_origin(asked.get("redirect_uri", "")),
    )


def button(action: str, label: str, *, main: bool = False, name: str = "", **fields: str) -> str:
    """A form with one button. ``name`` is its accessible name if the label is not enough."""
    kind = ' class="main"' if main else ""
    kind += f' aria-label="{escape(name)}"' if name else ""
    inside = "".join(hidden(name, value) for name, value in fields.items())
    key = escape(" ".join((action, *fields.values())))
    return (
        f'<form method="post" action="{escape(action)}">{inside}'
        f'<button{kind} data-key="{key}">{escape(label)}</button></form>'
    )


def hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def _choice(user: User) -> str:
    return (
        f'<label><input type="radio" name="email" value="{escape(user.email)}" required>'
        f"<span>{escape(user.name)}</span> <small>{escape(user.email)}</small></label>"
    )


def _origin(url: str) -> str:
    """The origin that the form redirects to: some browsers apply ``form-action`` to redirects too."""
    try:
        return str(URL(url).origin())
    except ValueError:
        return ""
