"""The registry of everything that the features declare. No other module lists it.

The grammar, placement, help, usage texts and the table in ``docs/commands.md`` are derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import TypeVar

from bot.core.context import Body, Context, Job
from bot.core.declarations import (
    Action,
    AnswerDeclaration,
    Command,
    Declaration,
    EditRefused,
    Gate,
    Hook,
    HookDeclaration,
    InDoubt,
    LinkLost,
    NoticeRefused,
    PostRefused,
    TaskDeclaration,
    WebhookDeclaration,
    WebhookHandler,
    Where,
    ZoomRefused,
)
from bot.core.tasks import Task
from bot.domain.grammar import Grammar, Request
from bot.domain.records import Announcement, LostLink, Meeting, Notice, Question
from bot.errors import ZoomError, ZoomUnreachableError
from bot.stores import Change
from bot.zoom.webhooks import Webhook


@dataclass
class Registry:
    """All declarations. A name has one handler; only an event may have several."""

    commands: dict[str, Command] = field(default_factory=dict)
    webhooks: dict[str, list[WebhookHandler]] = field(default_factory=dict)
    answers: dict[str, AnswerDeclaration] = field(default_factory=dict)
    tasks: dict[str, TaskDeclaration] = field(default_factory=dict)
    hooks: dict[Hook, Callable[..., object]] = field(default_factory=dict)
    # Events that are accepted for any meeting, or for none.
    any_meeting: set[str] = field(default_factory=set)

    @classmethod
    def collect(cls, modules: Iterable[ModuleType]) -> Registry:
        """Collect what these modules declare. Raises :class:`ValueError` if two declare the same name."""
        registry = cls()
        for module in modules:
            for value in vars(module).values():
                if getattr(value, "__module__", "") == module.__name__:
                    for declared in getattr(value, "__declared__", ()):
                        registry.add(declared)
        return registry

    def add(self, declared: Declaration) -> None:
        """Add a declaration."""
        match declared:
            case Command():
                _enter(self.commands, declared.name, declared)
            case AnswerDeclaration():
                _enter(self.answers, declared.kind, declared)
            case TaskDeclaration():
                _enter(self.tasks, declared.name, declared)
            case HookDeclaration():
                _enter(self.hooks, declared.hook, declared.handler)
            case WebhookDeclaration():
                for event in declared.events:
                    self.webhooks.setdefault(event, []).append(declared.handler)
                if declared.any_meeting:
                    self.any_meeting.update(declared.events)

    @cached_property
    def grammar(self) -> Grammar:
        """The grammar of all commands that people can write."""
        forms = {each.name: each.takes for each in self.commands.values() if each.takes}
        return Grammar(forms, self.words)

    @cached_property
    def words(self) -> frozenset[str]:
        """All words that can answer a question."""
        return frozenset(word for each in self.answers.values() for word in each.words)

    @property
    def helped(self) -> list[Command]:
        """The commands that ``help`` lists, in display order."""
        return sorted((each for each in self.commands.values() if each.help), key=lambda each: each.position)

    def usage_of(self, name: str) -> str:
        """The message key of a command's syntax; empty if the command is unknown."""
        return self.commands[name].usage if name in self.commands else ""

    def asks_of(self, name: str) -> str:
        """The key of what a command asks for if it stands alone; empty if it has none."""
        return self.commands[name].asks if name in self.commands else ""

    async def respond(self, ctx: Context, job: Job, request: Request) -> list[Change]:
        """Run a request through its command's gates, then its action. A Zoom error becomes an answer."""
        asked = self.commands.get(request.command)
        if asked is None:
            return await self._not_understood(ctx, job, request)
        try:
            changes = await self._pass(ctx, job, request, asked)
        except ZoomError as error:
            changes = await self._refused(ctx, job, request, asked, error)
        # An attempt that was interrupted may have left a meeting at Zoom.
        return self._in_doubt(ctx, job, request, changes) if job.retried else changes

    async def resume(self, ctx: Context, job: Job, request: Request, question: Question) -> list[Change]:
        """Continue a request whose question was answered. The answer is the last of ``choices``.
        A Zoom error becomes an answer, as in :meth:`respond`."""
        try:
            return list(await self.answers[question.kind].handler(ctx, job, request, question))
        except ZoomError as error:
            if (asked := self.commands.get(request.command)) is None:
                raise
            return await self._refused(ctx, job, request, asked, error)

    async def receive(self, ctx: Context, job: Job, webhook: Webhook) -> list[Change]:
        """Call all handlers of a webhook and return their changes."""
        changes: list[Change] = []
        for handler in self.webhooks.get(webhook.event, ()):
            changes += await handler(ctx, job, webhook)
        return changes

    async def perform(self, ctx: Context, job: Job, task: Task) -> list[Change]:
        """Call a task's handler and return its changes; none if no feature declares the task any more."""
        declared = self.tasks.get(task.name)
        return list(await declared.handler(ctx, job, task.read(declared.about))) if declared else []

    def announces(self, task: Task) -> bool:
        """Whether webhooks about a task's meeting may arrive before the meeting is in the store."""
        return task.name in self.tasks and self.tasks[task.name].announces

    async def set_aside(self, ctx: Context, job: Job, task: Task) -> list[Change]:
        """Return the changes for a task that has failed for good."""
        declared = self.tasks.get(task.name)
        if declared is None or declared.set_aside is None:
            return []
        return list(await declared.set_aside(ctx, job, task.read(declared.about)))

    def give_up(self, ctx: Context, job: Job, request: Request) -> list[Change]:
        """Return the changes for a request that has failed for good. It may have reached Zoom."""
        return self._in_doubt(ctx, job, request, [ctx.failure(job, request)])

    def _in_doubt(self, ctx: Context, job: Job, request: Request, changes: list[Change]) -> list[Change]:
        """Add to ``changes`` the search for a meeting that the request may have left at Zoom."""
        asked, handler = self.commands.get(request.command), self.hooks.get(Hook.CREATION_IN_DOUBT)
        if handler is None or asked is None or not asked.creates:
            return changes
        look: InDoubt = handler  # type: ignore[assignment]
        return [*changes, *look(ctx, job, request, changes)]

    def post_refused(self, ctx: Context, announcement: Announcement) -> list[Change]:
        """Return the changes for an announcement whose post Mattermost will never accept."""
        handler: PostRefused | None = self.hooks.get(Hook.POST_REFUSED)  # type: ignore[assignment]
        return list(handler(ctx, announcement)) if handler else []

    def edit_refused(self, ctx: Context, announcement: Announcement, meeting: Meeting) -> list[Change]:
        """Return the changes for a post that cannot be edited to show its meeting."""
        handler: EditRefused | None = self.hooks.get(Hook.EDIT_REFUSED)  # type: ignore[assignment]
        return list(handler(ctx, announcement, meeting)) if handler else []

    def notice_refused(self, ctx: Context, notice: Notice, body: Body, why: str) -> list[Change]:
        """Return the changes for a notice that Mattermost does not accept."""
        handler: NoticeRefused | None = self.hooks.get(Hook.NOTICE_REFUSED)  # type: ignore[assignment]
        return list(handler(ctx, notice, body, why)) if handler else []

    def link_lost(self, ctx: Context, lost: LostLink) -> list[Change]:
        """Return the changes to commit together with the record that Zoom has ended a link."""
        handler: LinkLost | None = self.hooks.get(Hook.LINK_LOST)  # type: ignore[assignment]
        return list(handler(ctx, lost)) if handler else []

    async def _pass(self, ctx: Context, job: Job, request: Request, asked: Command) -> list[Change]:
        for gate in self._gates(asked):
            changes = await gate(ctx, job, request)
            if changes is not None:
                return list(changes)
        if asked.announces:
            ctx.creations.begin(job.id)
        return list(await asked.action(ctx, job, request))

    def _gates(self, asked: Command) -> tuple[Gate, ...]:
        placement: Gate | None = self.hooks.get(Hook.PLACEMENT)  # type: ignore[assignment]
        return (placement, *asked.gates) if placement and asked.where is Where.CHANNEL else asked.gates

    async def _not_understood(self, ctx: Context, job: Job, request: Request) -> list[Change]:
        handler: Action | None = self.hooks.get(Hook.NOT_UNDERSTOOD)  # type: ignore[assignment]
        return list(await handler(ctx, job, request)) if handler else []

    async def _refused(
        self, ctx: Context, job: Job, request: Request, asked: Command, error: ZoomError
    ) -> list[Change]:
        handler: ZoomRefused | None = self.hooks.get(Hook.ZOOM_REFUSED)  # type: ignore[assignment]
        if handler is None:
            raise error
        changes = list(await handler(ctx, job, request, asked, error))
        maybe_done = isinstance(error, ZoomUnreachableError) and error.maybe_done
        # For a retried request ``respond`` adds the search anyway.
        return self._in_doubt(ctx, job, request, changes) if maybe_done and not job.retried else changes


K = TypeVar("K")
V = TypeVar("V")


def _enter(table: dict[K, V], key: K, value: V) -> None:
    if key in table:
        raise ValueError(f"{key} is declared twice")
    table[key] = value
