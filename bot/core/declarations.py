"""The decorators with which features declare commands, webhooks, answers to questions, tasks and hooks.

A decorator does not change the function: tests can call it directly. A
:class:`bot.core.registry.Registry` collects the declarations.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.core.context import Body, Context, Job
from bot.domain.grammar import Form, Request
from bot.domain.records import Announcement, LostLink, Meeting, Notice, Question
from bot.errors import ZoomError
from bot.stores import Change
from bot.zoom.webhooks import Webhook

# What a handler returns. The worker commits it together with the item's done mark.
Changes = Iterable[Change]

Action = Callable[[Context, Job, Request], Awaitable[Changes]]
# None lets the request pass. Changes answer the request and end it.
Gate = Callable[[Context, Job, Request], Awaitable[Changes | None]]
WebhookHandler = Callable[[Context, Job, Webhook], Awaitable[Changes]]
AnswerHandler = Callable[[Context, Job, Request, Question], Awaitable[Changes]]
TaskHandler = Callable[[Context, Job, Any], Awaitable[Changes]]
InDoubt = Callable[[Context, Job, Request, Changes], Changes]
ZoomRefused = Callable[[Context, Job, Request, "Command", ZoomError], Awaitable[Changes]]
PostRefused = Callable[[Context, Announcement], Changes]
EditRefused = Callable[[Context, Announcement, Meeting], Changes]
NoticeRefused = Callable[[Context, Notice, Body, str], Changes]
LinkLost = Callable[[Context, LostLink], Changes]

F = TypeVar("F", bound=Callable[..., object])


class Where(enum.Enum):
    """Where a command may be used. ``CHANNEL`` requires the bot to be a member of the channel."""

    ANYWHERE = enum.auto()
    CHANNEL = enum.auto()


@dataclass(frozen=True, slots=True)
class Command:
    """A command. ``usage`` and ``help`` are the message keys of its syntax and its description, ``asks`` that
    of what it asks for if it stands alone and may not.

    Without ``help`` it is not listed. Without ``takes`` people cannot write it; only the bot itself uses it.
    ``creates``: it creates a meeting at Zoom, which an interruption may orphan. ``announces``: webhooks
    about its meeting may arrive before the meeting is in the store. ``position`` is its place in the list.
    """

    name: str
    action: Action
    takes: Form | None
    where: Where = Where.ANYWHERE
    gates: tuple[Gate, ...] = ()
    usage: str = ""
    asks: str = ""
    help: str = ""
    position: int = 100
    creates: bool = False
    announces: bool = False


@dataclass(frozen=True, slots=True)
class WebhookDeclaration:
    """``handler`` receives these events; with ``any_meeting`` also for meetings not announced here."""

    events: tuple[str, ...]
    handler: WebhookHandler
    any_meeting: bool


@dataclass(frozen=True, slots=True)
class AnswerDeclaration:
    """``handler`` continues the request when one of ``words`` has answered a question of this kind."""

    kind: str
    words: tuple[str, ...]
    handler: AnswerHandler


@dataclass(frozen=True, slots=True)
class TaskDeclaration:
    """``handler`` runs the tasks of this name; ``about`` is the type of their payload. ``set_aside`` is
    called instead once a task has failed for good. ``announces``: as for a command."""

    name: str
    about: type[Any]
    handler: TaskHandler
    set_aside: TaskHandler | None = None
    announces: bool = False


class Hook(enum.Enum):
    """The points at which the core calls a feature that it does not know."""

    # A gate before every ``CHANNEL`` command: Mattermost says little about the channel of a ``/zoom``.
    PLACEMENT = enum.auto()
    # An action for words that are not a command, or not in a form that the command takes.
    NOT_UNDERSTOOD = enum.auto()
    # Zoom refused a call that a command needed.
    ZOOM_REFUSED = enum.auto()
    # A command with ``creates`` may have left a meeting at Zoom that is not in the store.
    CREATION_IN_DOUBT = enum.auto()
    # Mattermost will never accept an announcement's post; ``failed`` says why.
    POST_REFUSED = enum.auto()
    # Mattermost does not let the bot edit an announcement's post, which may be out of date now.
    EDIT_REFUSED = enum.auto()
    # A notice cannot be delivered now, or not at all. The last argument says why.
    NOTICE_REFUSED = enum.auto()
    # Zoom has ended a link to an account.
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
    asks: str = "",
    help: str = "",
    position: int = 100,
    creates: bool = False,
    announces: bool = False,
) -> Callable[[F], F]:
    """Declare a function as the action of a command. See :class:`Command`."""

    def declare(action: F) -> F:
        declared = Command(
            name,
            action,  # type: ignore[arg-type]
            takes=takes,
            where=where,
            gates=gates,
            usage=usage,
            asks=asks,
            help=help,
            position=position,
            creates=creates,
            announces=announces,
        )
        return _declare(action, declared)

    return declare


def webhook(*events: str, any_meeting: bool = False) -> Callable[[F], F]:
    """Declare a handler of Zoom events. An event may have several handlers. All of them are called, in the
    order of their modules' names."""
    return lambda handler: _declare(handler, WebhookDeclaration(events, handler, any_meeting))  # type: ignore[arg-type]


def answer(kind: str, *words: str) -> Callable[[F], F]:
    """Declare a handler of answers to a kind of question. See :class:`AnswerDeclaration`."""
    return lambda handler: _declare(handler, AnswerDeclaration(kind, words, handler))  # type: ignore[arg-type]


def task(
    name: str, about: type[Any], *, set_aside: TaskHandler | None = None, announces: bool = False
) -> Callable[[F], F]:
    """Declare the handler of the tasks with this name. See :class:`TaskDeclaration`."""

    def declare(handler: F) -> F:
        declared = TaskDeclaration(name, about, handler, set_aside, announces)  # type: ignore[arg-type]
        return _declare(handler, declared)

    return declare


def hook(at: Hook) -> Callable[[F], F]:
    """Declare the handler of a hook."""
    return lambda handler: _declare(handler, HookDeclaration(at, handler))


def _declare(function: F, declared: Declaration) -> F:
    function.__dict__.setdefault("__declared__", []).append(declared)
    return function
