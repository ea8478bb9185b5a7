"""Checks whether a link is a Zoom meeting link. Pure."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from yarl import URL

from bot.zoom.downloads import is_allowed

_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&'*+,;=%]+", re.IGNORECASE)
_ID = r"(\d{8,13})"
_NUMBER = re.compile(rf"/(?:[jw]/{_ID}|wc/{_ID}/join|wc/join/{_ID})/?", re.ASCII)
_NAME = re.compile(r"/my/[\w.-]+/?", re.ASCII)


class NotJoinable(enum.Enum):
    """Why a link is not posted. ``HOST``: the link makes anybody who opens it the host."""

    FOREIGN = "foreign"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class JoinLink:
    """A link to join a meeting. ``number`` is the meeting's number, or 0 if the link names a person."""

    url: str
    number: int = 0


def host_of(url: str) -> str:
    """The host name in a configured URL."""
    return (URL(url).raw_host or "").lower()


def join_link(text: str, zoom_url: str) -> JoinLink | NotJoinable:
    """The meeting link in ``text``, on Zoom's hosts or the host of ``zoom_url``; or why it is not posted."""
    text = text.strip().removeprefix("<").removesuffix(">")
    try:
        url = URL(text)
        host, port = url.raw_host, url.explicit_port
    except ValueError:
        return NotJoinable.FOREIGN
    own = URL(zoom_url)
    if not _URL.fullmatch(text) or url.user is not None or url.password is not None:
        return NotJoinable.FOREIGN
    at_home = (host, port) == (own.raw_host, own.explicit_port)
    if not is_allowed(url, (host_of(zoom_url),)) or (port is not None and not at_home):
        return NotJoinable.FOREIGN
    if "zak" in map(str.lower, url.query) or re.search(r"/s/\d+", url.path):
        return NotJoinable.HOST
    if number := _NUMBER.fullmatch(url.path):
        return JoinLink(text, int("".join(filter(None, number.groups()))))
    return JoinLink(text) if _NAME.fullmatch(url.path) else NotJoinable.FOREIGN
