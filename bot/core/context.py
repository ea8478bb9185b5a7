"""The context of every feature: settings, adapters, and helpers that send messages and schedule tasks."""

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
from bot.core.account import OwnAccount
from bot.core.admins import Admins
from bot.core.clocks import Clocks
from bot.core.creations import PendingCreations
from bot.core.exchanges import Exchanges
from bot.core.inbox import Inbox
from bot.core.people import People
from bot.core.tasks import task
from bot.core.timings import DEFAULT_FEATURE_TIMINGS, FeatureTimings
from bot.core.zoom_people import ZoomPeople
from bot.domain.grammar import Request
from bot.domain.records import Announcement, Notice, Question
from bot.errors import ZoomError
from bot.mattermost import Mattermost
from bot.messages.card import Card, card
from bot.messages.content import Content, Text, text
from bot.messages.problems import problem, zoom_problem
from bot.stores import Change, Put, Store, Update
from bot.vault import Vault
from bot.zoom import Caller, OAuth, Tokens, Zoom


@dataclass(frozen=True, slots=True)
class Job:
    """The inbox item being handled. ``retried``: an earlier attempt had begun, and may have handled
    part of it."""

    id: str
    retried: bool = False
    asked_at: int = 0

    @property
    def reference(self) -> str:
        """A short hash of the item's id, the same on every attempt. What is made for the item carries it."""
        return hashlib.sha256(self.id.encode()).hexdigest()[:20]


class Origin(msgspec.Struct, omit_defaults=True):
    """Where to say that an answer could not be delivered: to ``user_id`` for an answer in a channel, in
    ``channel_id`` for a private one. ``who`` is the user name of the person who asked."""

    user_id: str = ""
    channel_id: str = ""
    root_id: str = ""
    who: str = ""


class Body(msgspec.Struct, omit_defaults=True):
    """The content of a notice. ``response_url`` is where to send a private answer to ``/zoom``. After
    ``until`` (ms) the content is of no use any more; 0 is never."""

    card: Card
    response_url: str = ""
    # The ids of files that are already uploaded to the channel.
    file_ids: list[str] = []
    until: int = 0
    origin: Origin | None = None


class HelpedCommand(Protocol):
    """The part of a command that ``help`` shows."""

    @property
    def usage(self) -> str:
        """The message key of its syntax."""

    @property
    def help(self) -> str:
        """The message key of its description."""


class Requests(Protocol):
    """The part of :class:`bot.core.registry.Registry` that features may use."""

    @property
    def words(self) -> frozenset[str]:
        """All words that can answer a question."""

    @property
    def helped(self) -> Sequence[HelpedCommand]:
        """The commands that ``help`` lists, in display order."""

    def usage_of(self, name: str) -> str:
        """The message key of a command's syntax; empty if the command is unknown."""

    def asks_of(self, name: str) -> str:
        """The key of what a command asks for if it stands alone; empty if it has none."""

    async def respond(self, ctx: Context, job: Job, request: Request) -> list[Change]:
        """Run a request through its command's gates, then its action."""

    async def resume(self, ctx: Context, job: Job, request: Request, question: Question) -> list[Change]:
        """Continue a request whose question was answered."""

    def give_up(self, ctx: Context, job: Job, request: Request) -> list[Change]:
        """Return the changes for a request that has failed for good."""


@dataclass(frozen=True)
class Context:
    """The settings and adapters, passed to every feature.

    The methods that send a message or schedule a task only return the change that does it.
    """

    config: Config
    bot: OwnAccount
    store: Store
    vault: Vault
    mattermost: Mattermost
    people: People
    admins: Admins
    zoom: Zoom
    zoom_people: ZoomPeople
    tokens: Tokens
    oauth: OAuth
    inbox: Inbox
    creations: PendingCreations
    requests: Requests
    now: Now
    clocks: Clocks
    timings: FeatureTimings = DEFAULT_FEATURE_TIMINGS
    exchanges: Exchanges = field(default_factory=Exchanges)
    # For the operator: counters by metric name, and what is amiss although the bot is ready, by its part.
    counts: Counter[str] = field(default_factory=Counter)
    troubles: dict[str, str] = field(default_factory=dict)

    async def is_admin(self, user_id: str) -> bool:
        """Whether a person is a Mattermost system admin now, or one of the configured ``admins``."""
        if user_id in self.admins.ids:
            return True
        return (await self.people.fresh(user_id)).is_system_admin

    async def caller(self, user_id: str) -> Caller:
        """The caller for what a person asks of Zoom; see :meth:`ZoomPeople.caller`. For what the bot does by
        itself there is :meth:`ZoomPeople.known_caller`."""
        return await self.zoom_people.caller(user_id)

    def problem(self, error: ZoomError) -> Text:
        """Turn a Zoom error into a message that the person can act on."""
        return problem(zoom_problem(error, self.now(), self.config.zoom.app))

    def task(self, id: str, name: str, about: msgspec.Struct, *, queue: str, due_at: int = 0) -> Put:
        """Schedule a task; see :mod:`bot.core.tasks`. The same ``id`` again moves it to ``due_at``."""
        return Put(task(self.inbox, id, name, about, queue=queue, due_at=due_at))

    async def note_ahead(self, *changes: Change) -> None:
        """Commit changes before the item is done. Use this for what a retry must find if this attempt is
        interrupted while it acts at Zoom or Mattermost."""
        await self.store.commit(*changes)

    def url(self, path: str, **query: str) -> str:
        """The public URL of one of the bot's routes."""
        return self.config.web.public_url + path + (f"?{urlencode(query)}" if query else "")

    def tell(
        self,
        job: Job,
        request: Request,
        said: Card | Content,
        *,
        part: str = "",
        until: int = 0,
    ) -> Put:
        """Answer the person who asked, privately. A link or a question in it expires at ``until`` (ms)."""
        direct = request.direct
        # Whoever asked with ``/zoom`` asked in private.
        public = not direct and not request.slash
        place = Origin(channel_id=request.channel_id, root_id=request.root_id, who=request.user_name)
        return self._notice(
            f"{job.id}/{part}",
            Body(card(said), request.response_url, until=until, origin=place if public else None),
            trigger=request.trigger,
            user_id="" if direct else request.user_id,
            channel_id=request.channel_id if direct else "",
            root_id=request.root_id if direct else "",
        )

    def failure(self, job: Job, request: Request) -> Put:
        """Tell the person who asked that the bot failed, with a reference for the administrator."""
        return self.tell(job, request, problem(text("failed", reference=job.reference[:8])))

    def answer(self, job: Job, request: Request, said: Content, *, part: str = "") -> Put:
        """Answer publicly in the request's channel or thread."""
        asker = None if request.direct else Origin(user_id=request.user_id)
        return self._notice(
            f"{job.id}/{part}",
            Body(card(said), origin=asker),
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
        """Send a person a direct message, once per ``id``."""
        return self._notice(id, Body(card(said)), user_id=user_id, trigger=trigger)

    def reply(self, id: str, channel_id: str, root_id: str, said: Content, *, trigger: str = "") -> Put:
        """Reply in the thread of ``root_id``, once per ``id``."""
        return self._notice(id, Body(card(said)), channel_id=channel_id, root_id=root_id, trigger=trigger)

    def below(
        self,
        id: str,
        announcement: Announcement,
        said: Card | Content,
        *,
        file_ids: Sequence[str] = (),
    ) -> Put:
        """Reply to a meeting's post as soon as that post exists, once per ``id``."""
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
        """Send a person a direct message about a meeting, once per ``id``. Like those of :meth:`below`, its
        notice is kept as long as the meeting."""
        body = Body(card(said), file_ids=list(file_ids))
        return self._notice(id, body, trigger="", user_id=user_id, lasting=True)

    def shown_as(self) -> dict[str, str]:
        """The name and the picture of answers to ``/zoom``: the configured ones, or the bot account's own.
        Without them Mattermost shows an answer under the name of whoever asked."""
        settings = self.config.mattermost
        picture = f"{settings.url}/api/v4/users/{self.bot.id}/image"
        return {
            "username": settings.override_username or self.bot.username,
            "icon_url": settings.override_icon_url or picture,
        }

    def restate(self, notice_id: str, said: Card | Content) -> Update[Notice]:
        """Change what a message says that was posted, or is about to be. A private answer to ``/zoom`` is no
        post: it cannot be changed and stays as it is."""
        body = Body(card(said))
        sealed = self.vault.seal(notice_id, msgspec.json.encode(body).decode())

        def change(now: Notice) -> Notice | None:
            return replace(now, sealed_body=sealed, waiting=True) if now.waiting or now.post_id else None

        return Update(Notice, notice_id, change)

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
