"""Answers in words where they could be topics: ``@zoom new`` and ``/zoom new`` in the question's channel, and
``start join tomorrow`` after "join tomorrow" was not understood."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.core.context import Context, Job
from bot.core.declarations import Changes
from bot.domain.grammar import Request, bare
from bot.domain.mentions import INVISIBLE
from bot.domain.records import Question
from bot.domain.topics import clean_topic
from bot.features import questions
from bot.features.misread import MISREAD

_UNSEEN = re.compile(f"[{INVISIBLE}]")


async def no_answer(ctx: Context, job: Job, request: Request) -> Changes | None:
    """Gate: take the whole topic as the answer to the newest question that it fits, if that question was
    asked in this channel, or as the confirmation of a topic that was asked for elsewhere."""
    word = _shown(request.argument)
    if request.resumed or not (word in ctx.requests.words or (request.direct and word)):
        return None
    asked = await ctx.store.find(Question, "user_id", request.user_id)
    now_open = [each for each in asked if questions.is_open(ctx, each)]
    newest = _newest(each for each in now_open if word in each.words)
    if newest and questions.asked(ctx, newest).channel_id == request.channel_id:
        return await questions.take(ctx, job, request, newest, word)
    confirmed = _newest(each for each in now_open if request.direct and _names(ctx, each, word))
    return await questions.take(ctx, job, request, confirmed, "anyway") if confirmed else None


def _names(ctx: Context, question: Question, topic: str) -> bool:
    """Whether it was asked if a meeting of this topic is meant."""
    if question.kind != MISREAD:
        return False
    # The question showed the topic as Zoom would get it: on one line, and cut.
    return _shown(clean_topic(questions.asked(ctx, question).argument, "")) == topic


def _shown(text: str) -> str:
    """What somebody reads and writes again: without invisible marks, and in any case."""
    return bare(_UNSEEN.sub("", text)).casefold()


def _newest(of: Iterable[Question]) -> Question | None:
    return max(of, key=lambda question: question.expires_at, default=None)
