"""Answers in words where the question was asked: there, ``@zoom new`` and ``/zoom new`` are no topics."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes
from bot.domain.grammar import Request
from bot.domain.records import Question
from bot.features import questions


async def no_answer(ctx: Context, job: Job, request: Request) -> Changes | None:
    """A gate: takes the whole topic as the answer to the newest question that it fits, if that was asked in
    this channel."""
    word = request.argument.strip().casefold()
    if request.resumed or word not in ctx.requests.words:
        return None
    asked = await ctx.store.find(Question, "user_id", request.user_id)
    question = _newest(ctx, job, asked, word)
    if question is None or _asked_in(ctx, question) != request.channel_id:
        return None
    return await questions.take_words(ctx, job, replace(request, command="answer", argument=word))


def _newest(ctx: Context, job: Job, asked: Sequence[Question], word: str) -> Question | None:
    """The one that the word is for; where it was interrupted, the one that it has answered already."""
    fitting = [
        question
        for question in asked
        if question.answered_by == job.id
        or (word in question.words and question.expires_at > ctx.now() and not question.answered)
    ]
    return max(fitting, key=lambda question: question.expires_at, default=None)


def _asked_in(ctx: Context, question: Question) -> str:
    sealed = ctx.vault.open(question.id, question.sealed)
    return msgspec.json.decode(sealed, type=Request).channel_id
