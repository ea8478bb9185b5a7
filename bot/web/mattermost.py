"""``/command``, ``/action`` and ``/dialog``: Mattermost's calls for ``/zoom``, buttons and dialogs.

None of the calls is signed. A command carries the token that Mattermost gave it when it was created. Buttons
and dialogs return what the bot put into them, which includes a token of its own. All calls are answered at
once and handled later.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from bot.core.context import Context
from bot.core.inbox import REQUEST
from bot.domain.grammar import Grammar, Request
from bot.errors import StoreError, StoreTimeoutError
from bot.features import presses, questions
from bot.messages.card import shown
from bot.messages.cards import answered_card
from bot.messages.catalogue import catalogue
from bot.messages.content import text
from bot.web.forms import read_form
from bot.web.in_time import in_time
from bot.web.limits import SAID, read_body

_ID = re.compile(r"[a-z0-9]{26}")
# The part of ``/readyz`` that says why a slash command is refused, until one is accepted.
SLASH = "mattermost slash command"
# Of so many teams it is noted why their commands are refused.
_MAX_REFUSED = 100
_UNKNOWN = (
    "a command came with a token that is not in mattermost.command_token: if the token was made anew, copy it"
)
_BY_GET = "a command came with the request method GET: set its request method to POST"


class ActionContext(msgspec.Struct):
    """What the bot put into a button."""

    token: str


class Action(msgspec.Struct):
    """A pressed button. Trust ``user_id`` only after checking the token."""

    user_id: str
    context: ActionContext
    post_id: str = ""


class Submission(msgspec.Struct):
    """A dialog that was submitted or closed."""

    user_id: str
    state: str
    submission: dict[str, Any] | None = None
    cancelled: bool = False


class MattermostRoutes:
    """The handlers of slash commands, buttons and dialogs."""

    def __init__(self, ctx: Context, grammar: Grammar) -> None:
        self._ctx = ctx
        self._grammar = grammar
        # Why each team's command is refused.
        self._refused: dict[str, str] = {}

    async def command(self, request: web.Request) -> web.Response:
        """Store a ``/zoom …`` request and return an empty response. The answer is sent separately."""
        form = await read_form(request)
        self._check_token(request, form)
        self._note_taken(_id(form.get("team_id")))
        user_id, channel_id = _id(form.get("user_id")), _id(form.get("channel_id"))
        if not user_id or not channel_id:
            raise web.HTTPBadRequest(text="user_id and channel_id are missing")
        said = self._grammar.parse_words(_text(form.get("text")))
        asked = Request(
            command=said.name,
            argument=said.argument,
            slash=True,
            user_id=user_id,
            user_name=_text(form.get("user_name")),
            channel_id=channel_id,
            team_id=_id(form.get("team_id")),
            root_id=_id(form.get("root_id")),
            asked_at=self._ctx.now(),
            response_url=_text(form.get("response_url")),
            dialog_id=_text(form.get("trigger_id")),
        )
        trigger = _text(form.get("trigger_id")) or asked.response_url
        id = "command:" + hashlib.sha256(trigger.encode()).hexdigest()[:32]
        item = self._ctx.inbox.item(id, REQUEST, asked.channel_id, asked, sender=user_id)
        try:
            await in_time(self._ctx).inbox.add(item)
        except StoreError as error:
            return self._ephemeral(_why(error))
        return web.json_response({})

    async def command_by_get(self, request: web.Request) -> web.Response:
        """Refuse a command that was made with the method GET, and say to whoever asked what helps. Its token
        and its text came in the address, which proxies log."""
        self._note_refused(request.query, _BY_GET)
        request.app[SAID].warning(f"command refused: {_BY_GET}")
        return self._ephemeral("command-by-get")

    async def action(self, request: web.Request) -> web.Response:
        """Verify a pressed button, store the answer, and show it in place of the buttons."""
        try:
            action = msgspec.json.decode(await read_body(request), type=Action)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise web.HTTPForbidden(text="this is no button of ours") from None
        ctx, token = in_time(self._ctx), action.context.token
        try:
            # It may ask Mattermost as well.
            async with asyncio.timeout(ctx.timings.store_s):
                outcome = await presses.press(ctx, token, action.user_id, action.post_id)
        except (TimeoutError, StoreError) as error:
            return web.json_response({"ephemeral_text": _said(_why(error))})
        if isinstance(outcome, presses.Pressed):
            return web.json_response(_taken(outcome))
        if outcome.why is questions.Refused.FORGED:
            request.app[SAID].warning("action refused: its token is not ours")
            raise web.HTTPForbidden(text="this is no button of ours")
        return web.json_response(_rejected(outcome))

    async def dialog(self, request: web.Request) -> web.Response:
        """Verify a submitted dialog and store the answer. Errors appear inside the dialog. A closed dialog
        changes nothing."""
        try:
            submission = msgspec.json.decode(await read_body(request), type=Submission)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise web.HTTPForbidden(text="this is no dialog of ours") from None
        word = "" if submission.cancelled else str((submission.submission or {}).get("answer", ""))
        try:
            refused = await questions.submit(in_time(self._ctx), submission.state, submission.user_id, word)
        except StoreError as error:
            return web.json_response({"error": _said(_why(error))})
        if submission.cancelled:
            return web.json_response({})
        if refused is questions.Refused.FORGED:
            request.app[SAID].warning("dialog refused: its token is not ours")
            raise web.HTTPForbidden(text="this is no dialog of ours")
        return web.json_response({"error": _said(questions.SAID[refused])} if refused else {})

    def _ephemeral(self, key: str) -> web.Response:
        answer = {"response_type": "ephemeral", "text": _said(key), **self._ctx.shown_as()}
        return web.json_response(answer)

    def _check_token(self, request: web.Request, form: Mapping[str, object]) -> None:
        # Each team's command has its own token. Compare all of them, even after a match.
        known = [each for each in self._ctx.config.mattermost.command_token.split(",") if each]
        given = _text(form.get("token")).encode("utf-8", "replace")
        if True not in [hmac.compare_digest(each.encode(), given) for each in known]:
            self._note_refused(form, _UNKNOWN)
            request.app[SAID].warning("command refused: its token is none of mattermost.command_token")
            raise web.HTTPForbidden(text="the token is wrong")

    def _note_refused(self, form: Mapping[str, object], why: str) -> None:
        """Note for the operator that a team's command is refused; nothing if Mattermost did not send it."""
        named = all(_id(form.get(name)) for name in ("user_id", "channel_id")) and _text(form.get("token"))
        if named and len(self._refused) < _MAX_REFUSED:
            self._refused[_id(form.get("team_id"))] = self._ctx.troubles[SLASH] = why

    def _note_taken(self, team_id: str) -> None:
        """Note that a team's command works. Another team's may still be refused."""
        self._refused.pop(team_id, None)
        self._ctx.troubles.pop(SLASH, None)
        self._ctx.troubles.update((SLASH, why) for why in self._refused.values())


def _taken(pressed: presses.Pressed) -> dict[str, Any]:
    """Replace the question's buttons with the choice. Props that the update does not name are lost. An
    ephemeral post cannot be updated (Mattermost answers 404), so the choice is a new ephemeral text there."""
    message, props = shown(answered_card(pressed.word), catalogue())
    if pressed.ephemeral:
        return {"ephemeral_text": message}
    return _update(message, props | pressed.props)


def _rejected(outcome: presses.Rejected) -> dict[str, Any]:
    """Say why the press is refused, and take the buttons away from a stored post."""
    answer: dict[str, Any] = {"ephemeral_text": catalogue().markdown(outcome.said)}
    if outcome.shown is None:
        return answer
    message, props = shown(outcome.shown, catalogue())
    return answer | _update(message, props | outcome.props)


def _update(message: str, props: dict[str, Any]) -> dict[str, Any]:
    return {"update": {"message": message, "props": {"from_bot": "true", **props}}}


def _why(error: Exception) -> str:
    """The message for whom a request could not be taken in time: what was given up may be done all the same,
    what was refused is not."""
    return "later" if isinstance(error, TimeoutError | StoreTimeoutError) else "not-now"


def _said(key: str) -> str:
    return catalogue().markdown(text(key))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _id(value: object) -> str:
    """``value`` if it is a Mattermost id, otherwise empty."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""
