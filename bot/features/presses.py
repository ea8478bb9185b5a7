"""Pressed buttons: verify the token, and store the answer or say what became of the question."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from bot.core.context import Context, Job
from bot.domain.records import Notice, Question
from bot.errors import MattermostDeniedError, MattermostError, MattermostNotFoundError, VaultError
from bot.features.questions import ACTION, SAID, Refused, Token, accept, asked
from bot.messages.card import Card
from bot.messages.cards import answered_card, choice
from bot.messages.content import Text, text

# How often a repeated press of a private answer to ``/zoom`` is answered.
_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Pressed:
    """An accepted button. ``props`` are those that its post keeps, unless the post is ``ephemeral``."""

    word: str
    props: dict[str, Any]
    ephemeral: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """A button that is refused, and what to say. ``shown`` replaces the buttons of a stored post, which keeps
    ``props``; None leaves the post as it is."""

    why: Refused
    said: Text
    shown: Card | None = None
    props: dict[str, Any] = field(default_factory=dict)


async def press(ctx: Context, token: str, user_id: str, post_id: str) -> Pressed | Rejected:
    """Handle a pressed button; the request may come from anybody.

    Verify the token before trusting ``user_id``, then store the answer.
    """
    try:
        said = msgspec.json.decode(ctx.vault.open(ACTION, token), type=Token)
    except (VaultError, msgspec.MsgspecError):
        return _rejected(Refused.FORGED)
    question = await ctx.store.get(Question, said.question)
    notice = await ctx.store.get(Notice, question.notice) if question else None
    if question is None or notice is None:
        return await _forgotten(ctx, said, user_id, post_id)
    if not await _shows(ctx, notice, post_id):
        return _rejected(Refused.FORGED)
    props = {"zoombot_id": notice.id, "zoombot_trigger": notice.trigger}
    ephemeral = not notice.waiting and not notice.post_id
    refused = await accept(ctx, question, said, user_id, said.word)
    if refused is None:
        return Pressed(said.word, props, ephemeral=ephemeral)
    if refused is Refused.FOREIGN:
        return _rejected(refused)
    answered = await ctx.store.get(Question, question.id) or question
    said_again = _rejected(refused, answered.answer)
    if ephemeral:
        await _say_again(ctx, question, said_again.said)
        return said_again
    shown = answered_card(answered.answer) if answered.answer else Card(said_again.said, [])
    return Rejected(refused, said_again.said, shown, props)


def _rejected(why: Refused, word: str = "") -> Rejected:
    if why is Refused.ANSWERED and word:
        return Rejected(why, text("answered-already-with", choice=choice(word)))
    return Rejected(why, text(SAID.get(why, "pressed-expired")))


async def _forgotten(ctx: Context, said: Token, user_id: str, post_id: str) -> Rejected:
    """Refuse the button of a question that is deleted by now. Its post still has the props to keep."""
    if said.user_id != user_id:
        return _rejected(Refused.FOREIGN)
    gone = _rejected(Refused.EXPIRED)
    try:
        async with asyncio.timeout(ctx.timings.store_s / 2):
            props = (await ctx.mattermost.post(post_id)).props
    except (MattermostError, TimeoutError):
        # A private answer to ``/zoom`` is no post, and cannot be changed.
        return gone
    kept: dict[str, Any] = {name: props[name] for name in ("zoombot_id", "zoombot_trigger") if name in props}
    return replace(gone, shown=Card(gone.said, []), props=kept)


async def _say_again(ctx: Context, question: Question, said: Text) -> None:
    """Tell whoever presses a button of ``/zoom`` again what became of the question, a few times.

    It is an answer of its own: clients that collapse threads hide what is said below a private answer.
    """
    request = asked(ctx, question)
    for number in range(_REPEATS):
        job = Job(f"pressed:{question.id}:{number}")
        if await ctx.store.insert(ctx.tell(job, request, said).record):
            return


async def _shows(ctx: Context, notice: Notice, post_id: str) -> bool:
    """Whether the post is the one that shows the notice. The person may press a button before we have stored
    the post's id. An ephemeral answer to ``/zoom`` has no id that we could know."""
    if notice.post_id or not notice.waiting:
        return notice.post_id in ("", post_id)
    try:
        return (await ctx.mattermost.post(post_id)).props.get("zoombot_id") == notice.id
    except (MattermostNotFoundError, MattermostDeniedError):
        return False
