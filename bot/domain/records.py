"""The records in the store. Records are values: make changed copies with ``msgspec.structs.replace``.

Times are milliseconds since the epoch unless a name says otherwise. The vault seals secrets before they
are put into a record (fields named ``sealed…``).
"""

from __future__ import annotations

import enum
from typing import ClassVar

import msgspec

# Under this module's name, like all records.
from bot.domain.crowd import Guest as Guest
from bot.domain.crowd import Seat as Seat
from bot.domain.meeting_record import Meeting as Meeting
from bot.domain.meeting_record import Recorded as Recorded
from bot.domain.meeting_record import Status as Status
from bot.domain.record import Record as Record


class ItemState(enum.StrEnum):
    """An inbox item's life: waiting → done, or waiting → dead after its last attempt."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class Item(Record, kw_only=True):
    """A request or an event: written down first, then handled, then marked as done.

    ``id`` is its identity (``post:<id>``, ``zoom:<hash>``…): a second arrival is the same item. Items of
    one ``queue`` are handled in order. A done item keeps its id for a while, and loses its payload.
    """

    table: ClassVar[str] = "inbox"
    indexes: ClassVar[tuple[str, ...]] = ("state",)

    kind: str
    # Stored under the name that version 0.1 gave it.
    queue: str = msgspec.field(name="lane")
    # The payload as JSON, sealed: a webhook may carry passcodes and tokens, and messages are private.
    sealed: str = ""
    asked_at: int
    received_at: int
    # When a task is to be done; 0 is at once.
    due_at: int = 0
    state: ItemState = ItemState.WAITING
    done_at: int = 0
    error: str = ""
    # The Mattermost user who sent a request; empty for webhooks and tasks.
    sender: str = ""
    # Whether a webhook says more than who came and went.
    urgent: bool = False


class Cursor(Record, kw_only=True):
    """How far a stream was read, and from when on it counts, by the server's clock. The only id today is
    ``mattermost``."""

    table: ClassVar[str] = "cursors"

    at: int
    since: int = 0


class LinkedAccount(Record, kw_only=True):
    """A Mattermost user's Zoom account. ``id`` is the Mattermost user's id."""

    table: ClassVar[str] = "links"
    indexes: ClassVar[tuple[str, ...]] = ("zoom_user_id",)

    zoom_user_id: str
    zoom_account_id: str = ""
    email: str
    sealed_tokens: str
    expires_at: int
    linked_at: int
    # Who made it: the id of an account-level app's only link does not say that.
    linked_by: str = ""
    pmi: int = 0
    # Since when Mattermost has not known the person (ms); 0 while it does.
    missing_since: int = 0


class LostLink(Record, kw_only=True):
    """A link that Zoom has ended, under the link's id. ``told`` is true once its owner was told. It is kept
    because Zoom may say why later."""

    table: ClassVar[str] = "lost"
    indexes: ClassVar[tuple[str, ...]] = ("told", "zoom_user_id")

    zoom_user_id: str
    zoom_account_id: str = ""
    linked_by: str = ""
    at: int
    told: bool = False


class Ticket(Record, kw_only=True):
    """A one-time link to connect: for one person, for ten minutes. ``id`` is the hash of its token."""

    table: ClassVar[str] = "tickets"

    user_id: str
    user_name: str
    expires_at: int
    sealed_verifier: str
    used: bool = False
    # The hash of Zoom's code that used it up.
    code_hash: str = ""
    # After Zoom came back and before the person confirmed: the hash of the form's secret and what to link.
    confirm_hash: str = ""
    sealed_grant: str = ""
    # That secret itself: a browser may ask for the form again.
    sealed_secret: str = ""
    # The notice that carries the link.
    notice: str = ""
    # Set once it is linked, so that a second click gets the same answer.
    linked_email: str = ""


class Pending(Record, kw_only=True):
    """A meeting asked for before linking; ``id`` is ``user:channel``, so only the newest is kept."""

    table: ClassVar[str] = "pending"
    indexes: ClassVar[tuple[str, ...]] = ("user_id",)

    user_id: str
    # The request as JSON, sealed.
    sealed: str
    asked_at: int


class Announcement(Record, kw_only=True):
    """A post of the bot that shows a meeting. ``post_id`` is empty until Mattermost has answered."""

    table: ClassVar[str] = "announcements"
    indexes: ClassVar[tuple[str, ...]] = ("meeting", "channel_id", "post_id", "stale", "held")

    meeting: str
    channel_id: str
    root_id: str = ""
    trigger: str = ""
    # Who asked for it.
    user_id: str = ""
    user_name: str = ""
    post_id: str = ""
    posted_revision: int = 0
    # True while the post does not show the meeting's newest revision; ``marks`` counts how often it was set.
    stale: bool = True
    marks: int = 0
    # Why there is no post: it was refused or deleted.
    failed: str = ""
    # True while Mattermost refuses the edit for a reason that may pass.
    held: bool = False
    created_at: int


class Notice(Record, kw_only=True):
    """A message that is posted once. Either ``user_id`` (a direct message) or ``channel_id`` is set."""

    table: ClassVar[str] = "notices"
    indexes: ClassVar[tuple[str, ...]] = ("waiting", "under", "held")

    user_id: str = ""
    channel_id: str = ""
    root_id: str = ""
    # The announcement whose post it replies to; that post may not exist yet.
    under: str = ""
    # Kept as long as its meeting: Zoom may send the same news again days later.
    lasting: bool = False
    trigger: str = ""
    # The message and its props as JSON, sealed: a notice may carry a one-time link.
    sealed_body: str
    post_id: str = ""
    waiting: bool = True
    # As in an announcement.
    held: bool = False
    # When Mattermost last refused it for certain: it was not posted before.
    refused_at: int = 0
    created_at: int


class Orphan(Record, kw_only=True):
    """A meeting that Zoom may have made without our learning of it: find it by its marker and delete it.

    ``keep`` is the number of the one with this marker that was announced, 0 if none was.
    """

    table: ClassVar[str] = "orphans"
    indexes: ClassVar[tuple[str, ...]] = ("user_id",)

    user_id: str
    marker: str
    keep: int = 0
    created_at: int


class Question(Record, kw_only=True):
    """Something that a person was asked before their request goes on; answered at most once."""

    table: ClassVar[str] = "questions"
    indexes: ClassVar[tuple[str, ...]] = ("user_id",)

    user_id: str
    # "duplicate", "crowd", "personal" or "settings"; ``about`` is what it is about, ``words`` the answers.
    kind: str
    about: str = ""
    words: list[str]
    # The notice that shows it, and the request that waits, as JSON, sealed.
    notice: str
    sealed: str
    expires_at: int
    answered: bool = False
    # The word that answered it.
    answer: str = ""


class Recent(Record, kw_only=True):
    """The newest meeting of a channel; ``id`` is the channel's."""

    table: ClassVar[str] = "recent"

    meeting: str
    created_at: int


class Preference(Record, kw_only=True):
    """What a person chose; ``id`` is the Mattermost user's id. ``pmi`` is always, never or ask."""

    table: ClassVar[str] = "preferences"

    pmi: str


class ChannelPolicy(Record, kw_only=True):
    """Whether meetings may be started in a channel; ``id`` is the channel's, ``rule`` allow or restrict."""

    table: ClassVar[str] = "policies"

    rule: str
    name: str


class Subscription(Record, kw_only=True):
    """A channel follows a meeting; ``id`` is ``channel:number``. ``user_id`` subscribed it."""

    table: ClassVar[str] = "subscriptions"
    indexes: ClassVar[tuple[str, ...]] = ("zoom_id", "channel_id", "user_id")

    zoom_id: int
    channel_id: str
    channel_type: str = ""
    user_id: str
    user_name: str
    host_zoom_id: str
    topic: str
    # As Zoom last said, for when Zoom cannot be asked.
    join_url: str
    passcode: str = ""
    created_at: int
