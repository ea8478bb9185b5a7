"""Who handles what: features register here, the worker and the web ask here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from bot.core.context import Context, Job
from bot.domain.grammar import Request
from bot.domain.records import Question
from bot.stores import Change
from bot.zoom.webhooks import Webhook

# What a handler wants written, together with the tick of what it handled.
Changes = Iterable[Change]

CommandHandler = Callable[[Context, Job, Request], Awaitable[Changes]]
WebhookHandler = Callable[[Context, Job, Webhook], Awaitable[Changes]]

AnswerHandler = Callable[[Context, Job, Request, Question], Awaitable[Changes]]

H = TypeVar("H")


@dataclass
class Router:
    """Handlers by command, by Zoom's event and by kind of question. Each name has one handler; only an
    event may have several, which all are asked, in the order in which they came."""

    commands: dict[str, CommandHandler] = field(default_factory=dict)
    webhooks: dict[str, WebhookHandler] = field(default_factory=dict)
    answers: dict[str, AnswerHandler] = field(default_factory=dict)
    # Events that are taken in whichever meeting they are about, or none.
    any_meeting: set[str] = field(default_factory=set)

    def command(self, *names: str) -> Callable[[CommandHandler], CommandHandler]:
        """Register the handler of commands."""
        return _registrar(self.commands, names)

    def answer(self, *kinds: str) -> Callable[[AnswerHandler], AnswerHandler]:
        """Register what goes on after questions of these kinds."""
        return _registrar(self.answers, kinds)

    def webhook(self, *events: str) -> Callable[[WebhookHandler], WebhookHandler]:
        """Register a handler of Zoom's events."""

        def register(handler: WebhookHandler) -> WebhookHandler:
            for event in events:
                first = self.webhooks.get(event)
                self.webhooks[event] = _both(first, handler) if first else handler
            return handler

        return register


def _both(first: WebhookHandler, second: WebhookHandler) -> WebhookHandler:
    async def handle(ctx: Context, job: Job, webhook: Webhook) -> Changes:
        return [*await first(ctx, job, webhook), *await second(ctx, job, webhook)]

    return handle


def _registrar(table: dict[str, H], names: tuple[str, ...]) -> Callable[[H], H]:
    def register(handler: H) -> H:
        for name in names:
            if name in table:
                raise ValueError(f"{name} has a handler already")
            table[name] = handler
        return handler

    return register
