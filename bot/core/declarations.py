"""What a feature declares at its functions: commands, webhooks, answers to questions, tasks, and hooks.

A decorator leaves the function as it is, so that it can be called and tested directly; a
:class:`bot.core.registry.Registry` collects what was declared.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.core.context import Context, Job
from bot.domain.grammar import Form, Request
from bot.domain.records import Announcement, LostLink, Question
from bot.errors import ZoomError
from bot.stores import Change
from bot.zoom.webhooks import Webhook

# What a handler wants written, together with the tick of what it handled.
Changes = Iterable[Change]

Action = Callable[[Context, Job, Request], Awaitable[Changes]]
# None lets the request pass; changes are the answer, and end it.
Gate = Callable[[Context, Job, Request], Awaitable[Changes | None]]
WebhookHandler = Callable[[Context, Job, Webhook], Awaitable[Changes]]
AnswerHandler = Callable[[Context, Job, Request, Question], Awaitable[Changes]]
TaskHandler = Callable[[Context, Job, Any], Awaitable[Changes]]
InDoubt = Callable[[Context, Job, Request, Changes], Changes]
ZoomRefused = Callable[[Context, Job, Request, "Command", ZoomError], Awaitable[Changes]]
PostRefused = Callable[[Context, Announcement], Changes]
LinkLost = Callable[[Context, LostLink], Changes]

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


@dataclass(frozen=True, slots=True)
class TaskDeclaration:
    """``handler`` does the tasks of this name, and gets what they are about as ``about``. ``set_aside`` is
    called in its place once it has failed for good. ``announces``: as for a command."""

    name: str
    about: type[Any]
    handler: TaskHandler
    set_aside: TaskHandler | None = None
    announces: bool = False


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
    # Zoom has ended somebody's link.
    LINK_LOST = enum.auto()


@dataclass(frozen=True, slots=True)
class HookDeclaration:
    """``handler`` is called at ``hook``."""

    hook: Hook
    handler: Callable[..., object]


Declaration = Command | WebhookDeclaration | AnswerDeclaration | TaskDeclaration | HookDeclaration


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


def task(
    name: str, about: type[Any], *, set_aside: TaskHandler | None = None, announces: bool = False
) -> Callable[[F], F]:
    """Declare what does the tasks of this name. See :class:`TaskDeclaration`."""

    def declare(handler: F) -> F:
        declared = TaskDeclaration(name, about, handler, set_aside, announces)  # type: ignore[arg-type]
        return _declare(handler, declared)

    return declare


def hook(at: Hook) -> Callable[[F], F]:
    """Declare what is called at a hook."""
    return lambda handler: _declare(handler, HookDeclaration(at, handler))


def _declare(function: F, declared: Declaration) -> F:
    function.__dict__.setdefault("__declared__", []).append(declared)
    return function
