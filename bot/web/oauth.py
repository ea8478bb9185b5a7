"""``/oauth2/connect`` and ``/oauth2/complete``: the routes for linking an account in the browser."""

from __future__ import annotations

from aiohttp import web
from yarl import URL

from bot.core.context import Context
from bot.features import linking
from bot.web import pages
from bot.web.forms import read_form
from bot.web.in_time import in_time

# The bot's own tokens are shorter. Longer ones are not worth hashing.
MAX_TOKEN = 512
MAX_CODE = 4096


class OAuthRoutes:
    """The three handlers. All of their input is untrusted."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def connect(self, request: web.Request) -> web.Response:
        """Redirect the browser to Zoom."""
        url = await linking.authorize_url(in_time(self._ctx), _field(request.query.get("state"), MAX_TOKEN))
        if isinstance(url, linking.Problem):
            return pages.problem_page(url.value)
        headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return web.Response(status=302, headers=headers)

    async def complete(self, request: web.Request) -> web.Response:
        """Handle Zoom's redirect: ask the person whether to link the account."""
        query = request.query
        token = _field(query.get("state"), MAX_TOKEN)
        code = _field(query.get("code"), MAX_CODE)
        outcome = await linking.receive_code(in_time(self._ctx), token, code, query.get("error", ""))
        if isinstance(outcome, linking.Problem):
            return pages.problem_page(outcome.value)
        action = URL(self._ctx.url("/oauth2/complete")).raw_path
        hidden = {"state": token, "confirm": outcome.secret}
        return pages.question_page(outcome.user_name, outcome.email, action, hidden)

    async def confirm(self, request: web.Request) -> web.Response:
        """Handle the person's answer: link the account, or cancel."""
        form = await read_form(request)
        outcome = await linking.confirm(
            in_time(self._ctx),
            _field(form.get("state"), MAX_TOKEN),
            _field(form.get("confirm"), MAX_TOKEN),
            cancelled="cancel" in form,
        )
        if isinstance(outcome, linking.Problem):
            return pages.problem_page(outcome.value)
        return pages.linked_page(outcome.user_name, outcome.email)


def _field(value: object, limit: int) -> str:
    return value if isinstance(value, str) and len(value) <= limit else ""
