"""What the features declare: commands, webhooks, answers to questions, and hooks. Nothing else lists them.

A declaration stands at the function that does the work and leaves the function as it is; a :class:`Registry`
collects them from the modules of ``features``. Grammar, placement, help, usage and the table in
``docs/commands.md`` follow from it.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import TypeVar

from bot.core.context import Context, Job
from bot.domain.grammar import Form, Grammar, Request
from bot.domain.records import Announcement, Question
from bot.errors import ZoomError, ZoomUnreachableError
from bot.stores import Change
from bot.zoom.webhooks import Webhook

# What a handler wants written, together with the tick of what it handled.
Changes = Iterable[Change]

Action = Callable[[Context, Job, Request], Awaitable[Changes]]
# None lets the request pass; changes are the answer, and end it.
Gate = Callable[[Context, Job, Request], Awaitable[Changes | None]]
WebhookHandler = Callable[[Context, Job, Webhook], Awaitable[Changes]]
AnswerHandler = Callable[[Context, Job, Request, Question], Awaitable[Changes]]
InDoubt = Callable[[Context, Job, Request, Changes], Changes]
ZoomRefused = Callable[[Context, Job, Request, "Command", ZoomError], Awaitable[Changes]]
PostRefused = Callable[[Context, Announcement], Changes]

F = TypeVar("F", bound=Callable[..., object])


class Where(enum.Enum):
    """Where a command may be used. One for the channel needs the bot to be a member of it."""

    ANYWHERE = enum.auto()
    CHANNEL = enum.auto()


@dataclass(frozen=True, slots=True)
class Command:
    """One command. ``usage`` shows how it goes, ``help`` says what it is for; without help it is not listed.

    Without ``takes`` people cannot write it: the bot asks itself. ``creates``: it makes a meeting at Zoom,
    which an interruption may leave behind. ``announces``: webhooks may tell of its meeting before the
    meeting is written down. ``position`` orders the help.
    """

    name: str
    action: Action
    takes: Form | None
    where: Where = Where.ANYWHERE
    gates: tuple[Gate, ...] = ()
    usage: str = ""
    help: str = ""
    position: int = 100
    creates: bool = False
    announces: bool = False


@dataclass(frozen=True, slots=True)
class WebhookDeclaration:
    """``handler`` takes these events; with ``any_meeting`` also about meetings not announced here."""

    events: tuple[str, ...]
    handler: WebhookHandler
    any_meeting: bool


@dataclass(frozen=True, slots=True)
class AnswerDeclaration:
    """``handler`` goes on after a question of this kind was answered with one of ``words``."""

    kind: str
    words: tuple[str, ...]
    handler: AnswerHandler


class Hook(enum.Enum):
    """What the core tells the features of, without knowing any."""

    # An action that needs the channel was asked for by ``/zoom``: Mattermost says little of where. A gate.
    PLACEMENT = enum.auto()
    # The words of a command came in a form that it does not take, or were no command at all. An action.
    NOT_UNDERSTOOD = enum.auto()
    # Zoom refused what a command needed.
    ZOOM_REFUSED = enum.auto()
    # A command that creates may have made a meeting that nobody has learned of.
    CREATION_IN_DOUBT = enum.auto()
    # Mattermost will never take an announcement's post.
    POST_REFUSED = enum.auto()


@dataclass(frozen=True, slots=True)
class HookDeclaration:
    """``handler`` is called at ``hook``."""

    hook: Hook
    handler: Callable[..., object]


Declaration = Command | WebhookDeclaration | AnswerDeclaration | HookDeclaration


def command(
    name: str,
    *,
    takes: Form | None,
    where: Where = Where.ANYWHERE,
    gates: tuple[Gate, ...] = (),
    usage: str = "",
    help: str = "",
    position: int = 100,
    creates: bool = False,
    announces: bool = False,
) -> Callable[[F], F]:
    """Declare a command at the function that does it. See :class:`Command`."""

    def declare(action: F) -> F:
        declared = Command(
            name,
            action,  # type: ignore[arg-type]
            takes=takes,
            where=where,
            gates=gates,
            usage=usage,
            help=help,
            position=position,
            creates=creates,
            announces=announces,
        )
        return _declare(action, declared)

    return declare


def webhook(*events: str, any_meeting: bool = False) -> Callable[[F], F]:
    """Declare a handler of Zoom's events. An event may have several, which are all called, in the order of
    their modules' names."""
    return lambda handler: _declare(handler, WebhookDeclaration(events, handler, any_meeting))  # type: ignore[arg-type]


def answer(kind: str, *words: str) -> Callable[[F], F]:
    """Declare what goes on after a question of this kind."""
    return lambda handler: _declare(handler, AnswerDeclaration(kind, words, handler))  # type: ignore[arg-type]


def hook(at: Hook) -> Callable[[F], F]:
    """Declare what is called at a hook."""
    return lambda handler: _declare(handler, HookDeclaration(at, handler))


@dataclass
class Registry:
    """Everything that was declared. A name has one handler; only an event may have several."""

    commands: dict[str, Command] = field(default_factory=dict)
    webhooks: dict[str, list[WebhookHandler]] = field(default_factory=dict)
    answers: dict[str, AnswerDeclaration] = field(default_factory=dict)
    hooks: dict[Hook, Callable[..., object]] = field(default_factory=dict)
    # Events that are taken in whichever meeting they are about, or none.
    any_meeting: set[str] = field(default_factory=set)

    @classmethod
    def collect(cls, modules: Iterable[ModuleType]) -> Registry:
        """What these modules declare. :class:`ValueError` where two declare the same."""
        registry = cls()
        for module in modules:
            for value in vars(module).values():
                if getattr(value, "__module__", "") == module.__name__:
                    for declared in getattr(value, "__declared__", ()):
                        registry.add(declared)
        return registry

    def add(self, declared: Declaration) -> None:
        """Take a declaration in."""
        match declared:
            case Command():
                _enter(self.commands, declared.name, declared)
            case AnswerDeclaration():
                _enter(self.answers, declared.kind, declared)
            case HookDeclaration():
                _enter(self.hooks, declared.hook, declared.handler)
            case WebhookDeclaration():
                for event in declared.events:
                    self.webhooks.setdefault(event, []).append(declared.handler)
                if declared.any_meeting:
                    self.any_meeting.update(declared.events)

    @cached_property
    def grammar(self) -> Grammar:
        """How the commands are read."""
        forms = {each.name: each.takes for each in self.commands.values() if each.takes}
        return Grammar(forms, self.words)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word that answers a question."""
        return frozenset(word for each in self.answers.values() for word in each.words)

    @property
    def helped(self) -> list[Command]:
        """The commands that help lists, in its order."""
        return sorted((each for each in self.commands.values() if each.help), key=lambda each: each.position)

    def usage_of(self, name: str) -> str:
        """How a command goes; empty if there is none of this name."""
        return self.commands[name].usage if name in self.commands else ""

    async def respond(self, ctx: Context, job: Job, request: Request) -> list[Change]:
        """Let the request through its command's gates, and do it; what Zoom refuses is answered."""
        asked = self.commands.get(request.command)
        if asked is None:
            return await self._not_understood(ctx, job, request)
        if asked.announces:
            ctx.creations.begin(job.id)
        try:
            changes = await self._pass(ctx, job, request, asked)
        except ZoomError as error:
            changes = await self._refused(ctx, job, request, asked, error)
        # A retried request that has nothing to say was the answer to a question.
        return self.in_doubt(ctx, job, request, changes) if job.retried and changes else changes

    async def resume(self, ctx: Context, job: Job, request: Request, question: Question) -> list[Change]:
        """Go on with a request whose question was answered: the answer is the last of ``choices``."""
        return list(await self.answers[question.kind].handler(ctx, job, request, question))

    async def receive(self, ctx: Context, job: Job, webhook: Webhook) -> list[Change]:
        """What the handlers of a webhook want written."""
        changes: list[Change] = []
        for handler in self.webhooks.get(webhook.event, ()):
            changes += await handler(ctx, job, webhook)
        return changes

    def in_doubt(self, ctx: Context, job: Job, request: Request, changes: list[Change]) -> list[Change]:
        """``changes``, and what has a meeting looked for that the request may have left at Zoom."""
        asked, handler = self.commands.get(request.command), self.hooks.get(Hook.CREATION_IN_DOUBT)
        if handler is None or asked is None or not asked.creates:
            return changes
        look: InDoubt = handler  # type: ignore[assignment]
        return [*changes, *look(ctx, job, request, changes)]

    def post_refused(self, ctx: Context, announcement: Announcement) -> list[Change]:
        """What is to be written since Mattermost will never take this announcement's post."""
        handler: PostRefused | None = self.hooks.get(Hook.POST_REFUSED)  # type: ignore[assignment]
        return list(handler(ctx, announcement)) if handler else []

    async def _pass(self, ctx: Context, job: Job, request: Request, asked: Command) -> list[Change]:
        for gate in self._gates(asked):
            changes = await gate(ctx, job, request)
            if changes is not None:
                return list(changes)
        return list(await asked.action(ctx, job, request))

    def _gates(self, asked: Command) -> tuple[Gate, ...]:
        placement: Gate | None = self.hooks.get(Hook.PLACEMENT)  # type: ignore[assignment]
        needed = asked.where is Where.CHANNEL and placement is not None
        return (placement, *asked.gates) if needed and placement else asked.gates

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
        # A retried request is looked after in any case.
        return self.in_doubt(ctx, job, request, changes) if maybe_done and not job.retried else changes


def _declare(function: F, declared: Declaration) -> F:
    function.__dict__.setdefault("__declared__", []).append(declared)
    return function


K = TypeVar("K")
V = TypeVar("V")


def _enter(table: dict[K, V], key: K, value: V) -> None:
    if key in table:
        raise ValueError(f"{key} is declared twice")
    table[key] = value
