"""What a feature sees of the world, and how it says what it wants said."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from bot.clock import Now
from bot.config import Config
from bot.core.creations import PendingCreations
from bot.core.inbox import Inbox
from bot.core.people import People
from bot.core.tasks import task
from bot.domain.grammar import Request
from bot.domain.records import Announcement, Notice, Question
from bot.errors import ZoomError
from bot.mattermost import Mattermost, User
from bot.messages.card import Card, card
from bot.messages.content import Content, Text, text
from bot.messages.problems import problem, zoom_problem
from bot.stores import Change, Put, Store
from bot.vault import Vault
from bot.zoom import Caller, OAuth, Tokens, Zoom


@dataclass(frozen=True, slots=True)
class Job:
    """The inbox item that is being handled. ``retried``: it may have been handled before, in part."""

    id: str
    retried: bool = False
    asked_at: int = 0

    @property
    def reference(self) -> str:
        """Short and the same every time: what is made for this item is known by it."""
        return hashlib.sha256(self.id.encode()).hexdigest()[:20]


class Body(msgspec.Struct, omit_defaults=True):
    """What a notice says. ``response_url`` is where ``/zoom`` awaits a private answer."""

    card: Card
    response_url: str = ""
    # Of files that were uploaded to the channel.
    file_ids: list[str] = []


class HelpedCommand(Protocol):
    """What help says of a command."""

    @property
    def usage(self) -> str:
        """How it is written: a message's key."""

    @property
    def help(self) -> str:
        """What it is for: a message's key."""


class Requests(Protocol):
    """What a feature may ask of :class:`bot.core.registry.Registry`."""

    @property
    def words(self) -> frozenset[str]:
        """Every word that answers a question."""

    @property
    def helped(self) -> Sequence[HelpedCommand]:
        """The commands that help lists, in its order."""

    def usage_of(self, name: str) -> str:
        """The key of how a command is written; empty if there is none of this name."""

    async def respond(self, ctx: Context, job: Job, request: Request) -> list[Change]:
        """Let a request through its command's gates, and do it."""

    async def resume(self, ctx: Context, job: Job, request: Request, question: Question) -> list[Change]:
        """Go on with a request whose question was answered."""

    def give_up(self, ctx: Context, job: Job, request: Request) -> list[Change]:
        """What is to be written since a request has failed for good."""


@dataclass(frozen=True)
class Context:
    """The adapters and the settings, handed to every feature."""

    config: Config
    bot: User
    store: Store
    vault: Vault
    mattermost: Mattermost
    people: People
    zoom: Zoom
    tokens: Tokens
    oauth: OAuth
    inbox: Inbox
    creations: PendingCreations
    requests: Requests
    now: Now
    # What features count for the operator, by the metric's name.
    counts: Counter[str] = field(default_factory=Counter)

    async def is_admin(self, user_id: str) -> bool:
        """Whether this person administers Mattermost now, or is one of the configured ``admins``."""
        user = await self.people.fresh(user_id)
        return user.is_system_admin or user.username.lower() in self.config.mattermost.admins

    async def caller(self, user_id: str) -> Caller:
        """A person as Zoom is asked on behalf of; apps of an account find people by e-mail."""
        if self.config.zoom.app == "user":
            return Caller(user_id)
        return Caller(user_id, (await self.people.get(user_id)).email)

    def problem(self, error: ZoomError) -> Text:
        """What went wrong at Zoom, as a message that the person can act on."""
        return problem(zoom_problem(error, self.now(), self.config.zoom.app))

    def task(self, id: str, name: str, about: msgspec.Struct, *, queue: str, due_at: int = 0) -> Put:
        """Have a task done; see :mod:`bot.core.tasks`. The same ``id`` again moves it to ``due_at``."""
        return Put(task(self.inbox, id, name, about, queue=queue, due_at=due_at))

    async def note_ahead(self, *changes: Change) -> None:
        """Make durable what a second attempt must find if this one is interrupted while it acts outside."""
        await self.store.commit(*changes)

    def url(self, path: str, **query: str) -> str:
        """The public URL of one of our routes."""
        return self.config.web.public_url + path + (f"?{urlencode(query)}" if query else "")

    def tell(
        self,
        job: Job,
        request: Request,
        said: Card | Content,
        *,
        part: str = "",
    ) -> Put:
        """Say something to the person who asked, and to nobody else."""
        direct = request.direct
        shown = card(said)
        if request.response_url:
            shown = replace(shown, props=shown.props | self._shown_as())
        return self._notice(
            f"{job.id}/{part}",
            Body(shown, request.response_url),
            trigger=request.trigger,
            user_id="" if direct else request.user_id,
            channel_id=request.channel_id if direct else "",
            root_id=request.root_id if direct else "",
        )

    def failure(self, job: Job, request: Request) -> Put:
        """Tell the person who asked that the bot failed, with a reference for the administrator."""
        return self.tell(job, request, problem(text("failed", reference=job.reference[:8])))

    def answer(self, job: Job, request: Request, said: Content, *, part: str = "") -> Put:
        """Say something where it was asked, to everybody there."""
        return self._notice(
            f"{job.id}/{part}",
            Body(card(said)),
            trigger=request.trigger,
            channel_id=request.channel_id,
            root_id=request.root_id,
        )

    def tell_user(
        self,
        id: str,
        user_id: str,
        said: Card | Content,
        *,
        trigger: str = "",
    ) -> Put:
        """Say something to a person by direct message; ``id`` makes it be said once."""
        return self._notice(id, Body(card(said)), user_id=user_id, trigger=trigger)

    def reply(self, id: str, channel_id: str, root_id: str, said: Content, *, trigger: str = "") -> Put:
        """Say something under a post; ``id`` makes it be said once."""
        return self._notice(id, Body(card(said)), channel_id=channel_id, root_id=root_id, trigger=trigger)

    def below(
        self,
        id: str,
        announcement: Announcement,
        said: Card | Content,
        *,
        file_ids: Sequence[str] = (),
    ) -> Put:
        """Say something under a meeting's post, as soon as that is there; ``id`` makes it be said once."""
        body = Body(card(said), file_ids=list(file_ids))
        return self._notice(
            id, body, trigger="", channel_id=announcement.channel_id, under=announcement.id, lasting=True
        )

    def tell_of_meeting(
        self,
        id: str,
        user_id: str,
        said: Card | Content,
        *,
        file_ids: Sequence[str] = (),
    ) -> Put:
        """Say something of a meeting to a person; it is remembered as long as what is said below posts."""
        body = Body(card(said), file_ids=list(file_ids))
        return self._notice(id, body, trigger="", user_id=user_id, lasting=True)

    def _shown_as(self) -> dict[str, str]:
        """Under which name and picture ``/zoom`` is answered: no post, it does not get those of posts."""
        settings = self.config.mattermost
        shown = {"username": settings.override_username, "icon_url": settings.override_icon_url}
        return {key: value for key, value in shown.items() if value}

    def _notice(
        self,
        id: str,
        body: Body,
        *,
        trigger: str,
        user_id: str = "",
        channel_id: str = "",
        root_id: str = "",
        under: str = "",
        lasting: bool = False,
    ) -> Put:
        notice = Notice(
            id=id,
            user_id=user_id,
            channel_id=channel_id,
            root_id=root_id,
            under=under,
            lasting=lasting,
            trigger=trigger,
            sealed_body=self.vault.seal(id, msgspec.json.encode(body).decode()),
            created_at=self.now(),
        )
        return Put(notice)
