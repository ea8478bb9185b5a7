"""Answers in words in the question's channel: there, ``@zoom new`` and ``/zoom new`` are not topics."""

from __future__ import annotations

from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes
from bot.domain.grammar import Request
from bot.domain.records import Question
from bot.features import questions


async def no_answer(ctx: Context, job: Job, request: Request) -> Changes | None:
    """Gate: take the whole topic as the answer to the newest question that it fits, if that question was
    asked in this channel."""
    word = request.argument.strip().casefold()
    if request.resumed or word not in ctx.requests.words:
        return None
    asked = await ctx.store.find(Question, "user_id", request.user_id)
    fitting = [each for each in asked if questions.is_open(ctx, each) and word in each.words]
    newest = max(fitting, key=lambda question: question.expires_at, default=None)
    if newest is None or questions.asked(ctx, newest).channel_id != request.channel_id:
        return None
    return await questions.take_words(ctx, job, replace(request, command="answer", argument=word))
