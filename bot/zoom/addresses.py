"""Finds and checks links to Zoom meetings. Pure."""

from __future__ import annotations

import contextlib
import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from yarl import URL

from bot.zoom.downloads import ZOOM_HOSTS, is_allowed

# Zoom's hosts in other countries: links to them may be posted, but tokens are never sent there.
JOIN_HOSTS = (*ZOOM_HOSTS, "zoom-x.de", "zoom.com.cn")

# What Mattermost's linker takes for a link, of the characters that Zoom's links have: it ends before any
# other, such as quotes and full stops of other scripts, and trailing punctuation is not part of it. On Zoom's
# own hosts it may lack the scheme.
_CHARACTER = r"[!#-;=?-Z_a-z~]"
# A link that was copied from the source of a page. Markdown reads it as "&".
_AMPERSAND = re.compile(r"&(?:amp|#0*38|#x0*26);", re.IGNORECASE)
_HOSTS = "|".join(map(re.escape, JOIN_HOSTS))
_LINK = re.compile(
    rf"https?://{_CHARACTER}+|(?<![\w@/.:%-])(?:[\w-]{{1,63}}\.){{0,4}}(?:{_HOSTS})/{_CHARACTER}+",
    re.IGNORECASE | re.ASCII,
)
_TRAILING = ".,;:!?*_~'"
_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+", re.IGNORECASE)
_ID = r"(\d{8,13})"
_NUMBER = re.compile(rf"/(?:[jw]/{_ID}|wc/{_ID}(?:/join)?|wc/join/{_ID}|launch/jc/{_ID})/?", re.ASCII)
_ANY_NUMBER = re.compile(
    rf"/(?:[jsw]|start|wc|wc/join|launch/j[cs])/{_ID}(?!\d)|/join/?\?(?:.*&)?confno={_ID}(?!\d)", re.ASCII
)
_NAME = re.compile(r"/my/[\w.-]+/?", re.ASCII)
_HOST_PATH = re.compile(r"/(?:s|start)/\d+|/wc/\d+/start|/launch/js/\d+", re.ASCII)
_REGISTRATION = re.compile(r"/(?:meeting|webinar)/register/|/[jw]/\d+/register", re.ASCII)
# Query parameters that make whoever opens the link the host, or the person for whom it was made.
_HOST_PARAMETERS = frozenset({"zak", "zpk"})
_PERSONAL_PARAMETERS = frozenset({"tk", "jwt", "signature", "sig", "registrant_id", "registrantid"})
# These only say who opens it: the link works without them.
_DROPPED_PARAMETER = re.compile(
    r"un|uel|uid|dn|uname|(?:user|first|last|display)?_?name|(?:user)?_?email|user_?id|customer_?key|_x_zm_\w+"
)


class NotJoinable(enum.Enum):
    """Why a link is not posted.

    ``HOST``: it makes anybody who opens it the host. ``PERSONAL``: everybody would join as the person for
    whom it was made. ``REGISTRATION``: it leads to a form and not to a meeting.
    """

    FOREIGN = "foreign"
    HOST = "host"
    PERSONAL = "personal"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True)
class JoinLink:
    """A link to join a meeting. ``number`` is the meeting's number, or 0 if the link names a person."""

    url: str
    number: int = 0


def host_of(url: str) -> str:
    """The host name in a configured URL."""
    return (URL(url).raw_host or "").lower()


def find_join_link(text: str, zoom_url: str) -> JoinLink | NotJoinable | None:
    """The first meeting link in a text, or why its links are not posted; None if there are none."""
    found = [join_link(link, zoom_url) for link in links_in(text)]
    links = [each for each in found if isinstance(each, JoinLink)]
    reasons = [each for each in found if each is not NotJoinable.FOREIGN]
    return next(iter([*links, *reasons, *found]), None)


def number_in_link(text: str, zoom_url: str) -> int:
    """The number in the first link to Zoom that has one, whoever the link is for; 0 if there is none."""
    for link in links_in(text):
        with contextlib.suppress(ValueError):
            url = URL(link)
            found = _ANY_NUMBER.match(f"{url.path}?{url.query_string}")
            if found and _is_zoom(url, zoom_url):
                return int(found[1] or found[2])
    return 0


def links_in(text: str) -> Iterator[str]:
    """The links in a text, without what stands around them; https where the scheme is missing."""
    for found in _LINK.finditer(text):
        link = _AMPERSAND.sub("&", _ended(text, found))
        yield link if "://" in link else f"https://{link}"


def join_link(link: str, zoom_url: str) -> JoinLink | NotJoinable:
    """The link if it leads to a meeting on Zoom's hosts or the host of ``zoom_url``; or why it is not posted.

    Parameters that say who opens it are left out. Everything else stays as it is, byte for byte.
    """
    try:
        url = URL(link)
        host, port = url.raw_host, url.explicit_port
    except ValueError:
        return NotJoinable.FOREIGN
    own = URL(zoom_url)
    at_home = (host, port) == (own.raw_host, own.explicit_port)
    if not _URL.fullmatch(link) or not _is_zoom(url, zoom_url) or (port is not None and not at_home):
        return NotJoinable.FOREIGN
    names = {name.casefold() for part in (url, URL("?" + url.raw_fragment)) for name in part.query}
    if names & _HOST_PARAMETERS or _HOST_PATH.search(url.path):
        return NotJoinable.HOST
    if names & _PERSONAL_PARAMETERS or any(name.endswith("token") for name in names):
        return NotJoinable.PERSONAL
    if _REGISTRATION.match(url.path):
        return NotJoinable.REGISTRATION
    return _joinable(link, url)


def _joinable(link: str, url: URL) -> JoinLink | NotJoinable:
    if number := _NUMBER.fullmatch(url.path):
        return JoinLink(_impersonal(link), int("".join(filter(None, number.groups()))))
    named = url.query.get("confno", "")
    if url.path.rstrip("/") == "/join" and re.fullmatch(_ID, named, re.ASCII):
        return JoinLink(_impersonal(link), int(named))
    return JoinLink(_impersonal(link)) if _NAME.fullmatch(url.path) else NotJoinable.FOREIGN


def _is_zoom(url: URL, zoom_url: str) -> bool:
    if url.user is not None or url.password is not None:
        return False
    host = (url.raw_host or "").lower().rstrip(".")
    abroad = url.scheme == "https" and any(host == each or host.endswith("." + each) for each in JOIN_HOSTS)
    return abroad or is_allowed(url, (host_of(zoom_url),))


def _impersonal(link: str) -> str:
    """The link without the parameters that say who opens it."""
    address, mark, fragment = link.partition("#")
    path, _, query = address.partition("?")
    kept = [each for each in query.split("&") if not _DROPPED_PARAMETER.fullmatch(_name_of(each))]
    return path + ("?" + "&".join(kept) if any(kept) else "") + mark + fragment


def _name_of(parameter: str) -> str:
    return unquote(parameter.partition("=")[0]).casefold()


def _ended(text: str, found: re.Match[str]) -> str:
    """The link without what follows it: brackets of Markdown say where it ends, else see below."""
    if text.endswith("<", 0, found.start()):
        return found[0]
    if not text.endswith("](", 0, found.start()):
        return _without_trailing(found[0])
    depth = 1
    for place, character in enumerate(found[0]):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if not depth:
            return found[0][:place]
    return found[0]


def _without_trailing(link: str) -> str:
    """A link as Mattermost's linker ends it: without punctuation or a bracket that it did not open."""
    end, unopened = len(link), link.count(")") - link.count("(")
    while end and (link[end - 1] in _TRAILING or (link[end - 1] == ")" and unopened > 0)):
        end -= 1
        unopened -= link[end] == ")"
    return link[:end]
