"""``connect @name``: an administrator confirms that a person has another Zoom account than before.

Only for apps of a whole account. Because people choose their e-mail addresses, the bot does not follow a
changed address to another Zoom user by itself.
"""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.declarations import Changes, answer
from bot.domain.grammar import Request
from bot.domain.records import Question
from bot.errors import EmailHiddenError, MattermostNotFoundError, ZoomUserUnknownError
from bot.features import questions
from bot.mattermost import User
from bot.messages.content import Code, Content, Text, address, text
from bot.stores import Change
from bot.zoom import Caller, ZoomUser

ZOOM_USER = "zoom-user"

_WORDS = ["change", "keep"]


async def confirm(ctx: Context, job: Job, request: Request) -> Changes:
    """Show an administrator whom the person's e-mail address leads to, and ask whether that is right."""
    name = request.argument.removeprefix("@").lower()
    try:
        user = await ctx.mattermost.user_by_name(name)
    except MattermostNotFoundError:
        return [ctx.tell(job, request, text("person-unknown", name=name))]
    try:
        found = await ctx.zoom.me(Caller(user.id, user.email))
    except EmailHiddenError:
        raise
    except ZoomUserUnknownError:
        said = text("person-unknown-at-zoom", name=user.username, email=address(user.email))
        return [ctx.tell(job, request, said)]
    if "change" in request.choices:
        return await _change(ctx, job, request, user, found)
    return await _ask(ctx, job, request, user, found)


@answer(ZOOM_USER, *_WORDS)
async def decided(ctx: Context, job: Job, request: Request, question: Question) -> Changes:
    """Do what the administrator chose."""
    if request.choices[-1] == "keep":
        return [ctx.tell(job, request, text("person-kept"))]
    # What was confirmed is the Zoom user that the question named.
    request.choices = [*request.choices, question.about]
    return await ctx.requests.respond(ctx, job, request)


async def _ask(ctx: Context, job: Job, request: Request, user: User, found: ZoomUser) -> Changes:
    known, others = await ctx.zoom_people.known(user.id), await ctx.zoom_people.others(user.id, found.id)
    name, email = user.username, address(user.email)
    if not others and (known is None or known.zoom_user_id == found.id):
        said = text("person-known", name=name, email=email)
        return [ctx.tell(job, request, said), *await ctx.zoom_people.confirmed(user, found)]
    holder = (await ctx.people.get(others[0])).username if others else ""
    question = _question(name, email, address(known.email) if known else "", holder)
    title = text("person-title", name=name)
    return questions.ask(ctx, job, request, ZOOM_USER, question, _WORDS, title=title, about=found.id)


def _question(name: str, email: Content, before: Content, holder: str) -> Text:
    if not holder:
        return text("person-changed", name=name, email=email, before=before)
    if not before:
        return text("person-claimed", name=name, email=email, holder=holder)
    return text("person-changed-and-claimed", name=name, email=email, before=before, holder=holder)


async def _change(ctx: Context, job: Job, request: Request, user: User, found: ZoomUser) -> Changes:
    if found.id != request.choices[-1]:
        command = Code(f"connect @{user.username}")
        return [ctx.tell(job, request, text("person-changed-again", name=user.username, command=command))]
    email = address(user.email)
    told: list[Change] = [
        ctx.tell(job, request, text("person-confirmed", name=user.username, email=email)),
        ctx.tell_user(f"zoom-user:{job.reference}:{user.id}", user.id, text("person-yours", email=email)),
    ]
    for other in await ctx.zoom_people.others(user.id, found.id):
        said = text("person-no-longer-yours", email=email)
        told.append(ctx.tell_user(f"zoom-user:{job.reference}:{other}", other, said))
    return [*await ctx.zoom_people.confirmed(user, found), *told]
