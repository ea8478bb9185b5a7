"""``settings``: whether a person's meetings take place in their personal room."""

from __future__ import annotations

from typing import Any

from bot.core.context import Context, Job
from bot.core.declarations import Changes, answer, command
from bot.domain.grammar import Request, words
from bot.domain.records import Preference, Question
from bot.errors import ZoomNotFoundError, ZoomScopeError
from bot.features import questions
from bot.features.questions import Choice
from bot.messages import texts, usage
from bot.stores import Change, Put
from bot.zoom import Caller, MeetingInfo

ROOM = "personal"
SETTINGS = "settings"

_CHOICES = {
    "always": texts.BUTTON_ALWAYS,
    "never": texts.BUTTON_NEVER,
    "ask": texts.BUTTON_ASK,
}


@command(
    "settings",
    takes=words("", "pmi always", "pmi never", "pmi ask"),
    usage=usage.SETTINGS,
    help=usage.SETTINGS_HELP,
    position=70,
)
async def settings(ctx: Context, job: Job, request: Request) -> Changes:
    """Show the person's choice and let them change it."""
    chosen = request.argument.lower().split()
    if chosen:
        return _save(ctx, job, request, chosen[-1])
    now = await preference(ctx, request.user_id)
    if shown := await questions.ask_in_dialog(ctx, job, request, SETTINGS, _dialog(now), list(_CHOICES)):
        return shown
    text = texts.SETTINGS.format(choice=texts.PMI_CHOICES[now])
    choices = [Choice(word, label) for word, label in _CHOICES.items()]
    return questions.ask(ctx, job, request, SETTINGS, text, choices, title=texts.SETTINGS_ROOM)


async def preference(ctx: Context, user_id: str) -> str:
    """``always``, ``never`` or ``ask``: what the person chose, or what holds for everybody."""
    chosen = await ctx.store.get(Preference, user_id)
    return chosen.pmi if chosen else ctx.config.meetings.personal_meeting_room


async def room_chosen(ctx: Context, job: Job, request: Request) -> list[Change] | None:
    """A gate: asks which room to use where the person wants to be asked."""
    if {ROOM, "unique"} & set(request.choices) or await preference(ctx, request.user_id) != "ask":
        return None
    choices = [
        Choice(ROOM, texts.BUTTON_PERSONAL, "primary"),
        Choice("unique", texts.BUTTON_UNIQUE),
    ]
    text = texts.WHICH_ROOM.format(where=await questions.place(ctx, request))
    return questions.ask(ctx, job, request, ROOM, text, choices, title=texts.WHICH_ROOM_TITLE)


async def wants_room(ctx: Context, request: Request) -> bool:
    """Whether this meeting is to be in the personal room."""
    if "unique" in request.choices:
        return False
    return ROOM in request.choices or await preference(ctx, request.user_id) == "always"


async def room(ctx: Context, caller: Caller) -> MeetingInfo | None:
    """The person's room at Zoom; None if it is switched off there."""
    try:
        if not (await ctx.zoom.settings(caller)).pmi_enabled:
            return None
    except (ZoomScopeError, ZoomNotFoundError):
        # Zoom may keep its settings to itself, or have none; the room says it as well.
        pass
    try:
        return await ctx.zoom.personal_room(caller)
    except ZoomNotFoundError:
        return None


@answer(SETTINGS, "always", "never", "ask")
async def settled(ctx: Context, job: Job, request: Request, question: Question) -> Changes:
    """Keep what the person chose."""
    return _save(ctx, job, request, request.choices[-1])


def _dialog(now: str) -> dict[str, Any]:
    return {
        "title": texts.SETTINGS_TITLE,
        "submit_label": texts.SETTINGS_SAVE,
        "elements": [
            {
                "display_name": texts.SETTINGS_ROOM,
                "name": "answer",
                "type": "select",
                "default": now,
                "options": [{"text": label, "value": word} for word, label in _CHOICES.items()],
            }
        ],
    }


def _save(ctx: Context, job: Job, request: Request, choice: str) -> list[Change]:
    kept = Put(Preference(id=request.user_id, pmi=choice))
    return [kept, ctx.tell(job, request, texts.SETTINGS_KEPT.format(choice=texts.PMI_CHOICES[choice]))]
