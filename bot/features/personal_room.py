"""``settings``: whether to hold a person's meetings in their personal room."""

from __future__ import annotations

from typing import Any

from bot.core.context import Context, Job
from bot.core.declarations import Changes, answer, command
from bot.domain.grammar import Request, words
from bot.domain.records import Preference, Question
from bot.errors import ZoomNotFoundError, ZoomScopeError
from bot.features import gates, questions
from bot.messages.cards import choice
from bot.messages.catalogue import catalogue
from bot.messages.content import Text, Url, text
from bot.stores import Change, Put
from bot.zoom import Caller, MeetingInfo

ROOM = "personal"
UNIQUE = "unique"
SETTINGS = "settings"

_WORDS = ["always", "never", "ask"]


@command(
    "settings",
    takes=words("", "pmi always", "pmi never", "pmi ask"),
    gates=(gates.linked,),
    usage="settings-usage",
    help="settings-help",
    position=70,
)
async def settings(ctx: Context, job: Job, request: Request) -> Changes:
    """Save the setting that the person wrote, or show the current one and let them change it."""
    chosen = request.argument.lower().split()
    if chosen:
        return _save(ctx, job, request, chosen[-1])
    now = await preference(ctx, request.user_id)
    if shown := await questions.ask_in_dialog(ctx, job, request, SETTINGS, _dialog(now), _WORDS):
        return shown
    question, title = text("settings", pmi=now), text("settings-room")
    return questions.ask(ctx, job, request, SETTINGS, question, _WORDS, title=title)


async def preference(ctx: Context, user_id: str) -> str:
    """``always``, ``never`` or ``ask``: the person's choice, or else the configured default."""
    chosen = await ctx.store.get(Preference, user_id)
    return chosen.pmi if chosen else ctx.config.meetings.personal_meeting_room


async def room_chosen(ctx: Context, job: Job, request: Request) -> list[Change] | None:
    """Gate: ask which room to use, if the person wants to be asked. Afterwards it is among the choices."""
    if {ROOM, UNIQUE} & set(request.choices):
        return None
    if (chosen := await preference(ctx, request.user_id)) != "ask":
        request.choices.append(ROOM if chosen == "always" else UNIQUE)
        return None
    question = text("which-room", **await questions.place(ctx, request))
    title = text("which-room-title")
    return questions.ask(ctx, job, request, ROOM, question, [ROOM, UNIQUE], title=title, preferred=ROOM)


def off_at_zoom(ctx: Context, key: str) -> Text:
    """A message that says where to turn on the personal room."""
    return text(key, url=Url(f"{ctx.config.zoom.url}/profile/setting"))


async def room(ctx: Context, caller: Caller) -> MeetingInfo | None:
    """The person's room at Zoom; None if it is turned off there."""
    try:
        if not (await ctx.zoom.settings(caller)).pmi_enabled:
            return None
    except (ZoomScopeError, ZoomNotFoundError):
        # Zoom may not show the settings, or may have none. The room itself also tells whether it is on.
        pass
    try:
        return await ctx.zoom.personal_room(caller)
    except ZoomNotFoundError:
        return None


@answer(SETTINGS, "always", "never", "ask")
async def settled(ctx: Context, job: Job, request: Request, question: Question) -> Changes:
    """Save the person's choice."""
    return _save(ctx, job, request, request.choices[-1])


def _dialog(now: str) -> dict[str, Any]:
    shown = catalogue().plain
    return {
        "title": shown(text("settings-title")),
        "submit_label": shown(text("settings-save")),
        "elements": [
            {
                "display_name": shown(text("settings-room")),
                "name": "answer",
                "type": "select",
                "default": now,
                "options": [{"text": shown(choice(word)), "value": word} for word in _WORDS],
            }
        ],
    }


def _save(ctx: Context, job: Job, request: Request, pmi: str) -> list[Change]:
    kept = Put(Preference(id=request.user_id, pmi=pmi))
    return [kept, ctx.tell(job, request, text("settings-kept", pmi=pmi))]
