"""Records of who is who: what a name or an e-mail address meant when it was first used.

Names and addresses can be changed and taken by somebody else. Ids cannot.
"""

from __future__ import annotations

from typing import ClassVar

from bot.domain.records import Record


class NamedAdmin(Record, kw_only=True):
    """Whom a name of ``mattermost.admins`` meant when it was first looked up; ``id`` is the name."""

    table: ClassVar[str] = "admins"

    user_id: str


class OwnName(Record, kw_only=True):
    """A user name that the bot's account has or had; ``id`` is the name."""

    table: ClassVar[str] = "own_names"


class ZoomPerson(Record, kw_only=True):
    """The Zoom user of a Mattermost user in an app of a whole account; ``id`` is the Mattermost user's id.

    ``email`` is the address in Mattermost by which Zoom knew them, ``client_id`` the Zoom app that was asked.
    """

    table: ClassVar[str] = "zoom_people"
    indexes: ClassVar[tuple[str, ...]] = ("zoom_user_id",)

    zoom_user_id: str
    account_id: str = ""
    client_id: str = ""
    email: str
    since: int
