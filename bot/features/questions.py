"""Questions that the bot asks before it acts on a request, and their answers: by button or in words.

A question is private, expires after ten minutes and can be answered once. Its buttons carry a token that
only this bot can make. The token names the question, the person and the choice, so it is useless for any
other post, person or answer. An answer in words goes to the person's newest open question that it fits.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, command, task
from bot.core.tasks import task as task_item
from bot.domain.grammar import Request
from bot.domain.records import Item, Question
from bot.errors import MattermostError, VaultError
from bot.messages.card import Button
from bot.messages.cards import answered_card, choice, question_card
from bot.messages.content import Content, Text, text
from bot.stores import Change, Insert, Put, Update

log = logging.getLogger(__name__)

QUESTION_MS = 10 * 60_000
# A trigger is valid for three seconds, and the call takes some of that time.
DIALOG_MS = 2_500
ACTION = "action"
_DIALOG = "dialog"


class Refused(enum.Enum):
    """Why an answer by button or dialog is refused."""

    FORGED = "forged"
    EXPIRED = "expired"
    FOREIGN = "foreign"
    ANSWERED = "answered"


# The message that says why.
SAID = {
    Refused.EXPIRED: "pressed-expired",
    Refused.FOREIGN: "pressed-foreign",
    Refused.ANSWERED: "answered-already",
}


class Token(msgspec.Struct, array_like=True):
    """What a button or a dialog carries, sealed."""

    question: str
    user_id: str
    word: str


def ask(
    ctx: Context,
    job: Job,
    request: Request,
    kind: str,
    question: Text,
    words: list[str],
    *,
    title: Text,
    url: str = "",
    about: str = "",
    preferred: str = "",
    how: Text | None = None,
) -> list[Change]:
    """Ask the person who made the request. Each of ``words`` is an answer; the button of ``preferred`` is
    highlighted. ``about`` is stored for the answer's handler. See ``question_card``."""
    record = _question(ctx, job, request, kind, words, about)
    buttons = [_button(ctx, record, word, preferred) for word in words] if ctx.config.buttons_work else []
    card = question_card(question, title=title, words=words, buttons=buttons, url=url, how=how)
    return [Put(record), ctx.tell(job, request, card, part=kind, until=record.expires_at)]


async def place(ctx: Context, request: Request) -> dict[str, Content]:
    """Message arguments that say where the request was made: questions about several channels arrive in one
    direct channel."""
    if request.direct:
        return {"place": "here", "channel": ""}
    name = request.channel_name or (await ctx.mattermost.channel(request.channel_id)).display_name
    return {"place": "channel", "channel": name}


async def ask_in_dialog(
    ctx: Context, job: Job, request: Request, kind: str, dialog: Mapping[str, Any], words: list[str]
) -> list[Change]:
    """Ask in a dialog whose element ``answer`` takes one of ``words``. No changes if it cannot be shown.

    Mattermost lets a slash command open a dialog for three seconds. In direct messages older servers refuse
    what is submitted, so buttons work better there.
    """
    if not request.dialog_id or not request.team_id or ctx.now() - request.asked_at > DIALOG_MS:
        return []
    question = _question(ctx, job, request, kind, words, "")
    state = Token(question.id, question.user_id, "")
    sealed = ctx.vault.seal(_DIALOG, msgspec.json.encode(state).decode())
    try:
        shown = {**dialog, "callback_id": kind, "state": sealed}
        await ctx.mattermost.open_dialog(request.dialog_id, ctx.url("/dialog"), shown)
    except MattermostError as error:
        log.info("mattermost: no dialog was opened: %s", error)
        return []
    return [Put(replace(question, notice=""))]


async def submit(ctx: Context, state: str, user_id: str, word: str) -> Refused | None:
    """Handle a submitted dialog; the request may come from anybody. Returns None if it is accepted."""
    try:
        said = msgspec.json.decode(ctx.vault.open(_DIALOG, state), type=Token)
    except (VaultError, msgspec.MsgspecError):
        return Refused.FORGED
    question = await ctx.store.get(Question, said.question)
    if question is None:
        return Refused.EXPIRED
    if word not in question.words:
        return Refused.FORGED
    return await accept(ctx, question, said, user_id, word)


@command("answer", takes=None)
async def take_words(ctx: Context, job: Job, request: Request) -> Changes:
    """Take an answer in words, to the newest open question that it fits."""
    of_person = await ctx.store.find(Question, "user_id", request.user_id)
    fitting = [each for each in of_person if is_open(ctx, each) and request.argument in each.words]
    if not fitting:
        return [ctx.tell(job, request, text("no-question"))]
    newest = max(fitting, key=lambda question: question.expires_at)
    return await take(ctx, job, request, newest, request.argument)


async def take(ctx: Context, job: Job, request: Request, question: Question, word: str) -> Changes:
    """Take a word as the answer to this question."""
    answer = _item(ctx, question, word)
    if await ctx.inbox.has(answer.id):
        return [ctx.tell(job, request, text("answered-already"))]
    return [Insert(answer)]


async def accept(ctx: Context, question: Question, said: Token, user_id: str, word: str) -> Refused | None:
    """Store an answer by button or dialog. Returns why it is refused, or None if it is accepted."""
    if said.user_id != user_id:
        return Refused.FOREIGN
    if question.expires_at < ctx.now():
        return Refused.EXPIRED
    noted = Update(Question, question.id, lambda now: replace(now, answer=word))
    if question.answered or not await ctx.inbox.add(_item(ctx, question, word), noted):
        return Refused.ANSWERED
    return None


class Answered(msgspec.Struct):
    """A question's id, and the word that answered it."""

    question: str
    word: str


async def report_failure(ctx: Context, job: Job, about: Answered) -> Changes:
    """Tell the person that their request has failed for good after their answer."""
    question = await ctx.store.get(Question, about.question)
    return ctx.requests.give_up(ctx, job, asked(ctx, question)) if question else []


@task("go_on", Answered, set_aside=report_failure, announces=True)
async def go_on(ctx: Context, job: Job, about: Answered) -> Changes:
    """Continue a request whose question was answered."""
    question = await ctx.store.get(Question, about.question)
    if question is None:
        return []
    request = asked(ctx, question)
    request.choices = [*request.choices, about.word]
    request.resumed = True
    # The request is not late: it waited for the person, not for the bot.
    request.asked_at = ctx.now()
    changes = await ctx.requests.resume(ctx, job, request, question)
    answered = Update(Question, question.id, lambda now: replace(now, answered=True, answer=about.word))
    # After a press this is shown already, unless that was interrupted.
    return [answered, ctx.restate(question.notice, answered_card(about.word)), *changes]


def is_open(ctx: Context, question: Question) -> bool:
    """Whether a question can still be answered."""
    return not question.answered and question.expires_at > ctx.now()


def asked(ctx: Context, question: Question) -> Request:
    """The request that is waiting for the answer."""
    return msgspec.json.decode(ctx.vault.open(question.id, question.sealed), type=Request)


def _question(ctx: Context, job: Job, request: Request, kind: str, words: list[str], about: str) -> Question:
    id = f"question:{job.reference}:{kind}"
    return Question(
        id=id,
        user_id=request.user_id,
        kind=kind,
        about=about,
        words=words,
        notice=f"{job.id}/{kind}",
        sealed=ctx.vault.seal(id, msgspec.json.encode(request).decode()),
        expires_at=ctx.now() + QUESTION_MS,
    )


def _item(ctx: Context, question: Question, word: str) -> Item:
    # Use the queue of the request's channel: the gate against duplicate meetings relies on that.
    queue = asked(ctx, question).channel_id
    return task_item(ctx.inbox, f"answer:{question.id}", "go_on", Answered(question.id, word), queue=queue)


def _button(ctx: Context, question: Question, word: str, preferred: str) -> Button:
    token = Token(question.id, question.user_id, word)
    sealed = ctx.vault.seal(ACTION, msgspec.json.encode(token).decode())
    style = "primary" if word == preferred else "default"
    return Button(word, choice(word), style, ctx.url("/action"), sealed)
