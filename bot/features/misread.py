"""Answers what was not understood: how the command is written, and whether a meeting was meant after all."""

from __future__ import annotations

import re

from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Hook, answer, hook
from bot.domain.grammar import Request
from bot.domain.records import Question
from bot.domain.topics import clean_topic
from bot.features import questions
from bot.messages.content import Code, Text, text

MISREAD = "misread"
_WORD = re.compile(r"\w+")


@hook(Hook.NOT_UNDERSTOOD)
async def show_usage(ctx: Context, job: Job, request: Request) -> Changes:
    """Show how a command is written. What looks like a topic may be started as a meeting, once that is
    confirmed."""
    name, *rest = _WORD.findall(request.argument) or [""]
    name = name.casefold()
    usage = ctx.requests.usage_of(name)
    if not usage:
        return [ctx.tell(job, request, text("unknown"))]
    if not rest:
        asked = ctx.requests.asks_of(name)
        return [ctx.tell(job, request, text(asked) if asked else _usage(name, usage))]
    topic = clean_topic(request.argument, name)
    by = "button" if ctx.config.buttons_work else "words"
    return questions.ask(
        ctx,
        job,
        replace(request, command="start"),
        MISREAD,
        _usage(name, usage),
        ["anyway"],
        title=text("misread-title", topic=topic),
        how=text("misread-how", by=by, topic=topic, words=Code(f"start {topic}")),
    )


@answer(MISREAD, "anyway")
async def start_anyway(ctx: Context, job: Job, request: Request, question: Question) -> Changes:
    """Start the meeting that the words seemed to name."""
    return await ctx.requests.respond(ctx, job, request)


def _usage(name: str, usage: str) -> Text:
    return text("usage", command=Code(name), usage=text(usage))
