"""What the values of the configuration must look like. Texts never repeat a value: it may be a secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from bot.config.database import SCHEMES, WrongAddressError, read_address
from bot.hosts import is_address, is_loopback

_SECOND = 1000
_UNITS = {"s": _SECOND, "m": 60 * _SECOND, "h": 3600 * _SECOND, "d": 86_400 * _SECOND}
MAX_DURATION_MS = 366 * _UNITS["d"]
MAX_TOPIC = 200

_KINDS: dict[type, str] = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list of texts",
}
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class WrongValueError(ValueError):
    """A value breaks a rule; the text says how without repeating the value."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one key is read. ``kind`` is its TOML type; ``check`` returns the value as the bot uses it.

    ``check`` gets the value and the directory that relative paths start from, and raises
    :class:`WrongValueError`.
    """

    kind: type
    check: Callable[[Any, Path], Any]
    # Text in words, which may begin and end with quotes.
    free: bool = False

    def read(self, value: object, base: Path) -> Any:
        """A value from ``bot.toml``, checked."""
        if type(value) is not self.kind:
            raise WrongValueError(f"must be {_KINDS[self.kind]}, not {_kind_of(value)}")
        if isinstance(value, list):
            for item in value:
                if not isinstance(item, str):
                    raise WrongValueError(f"must be {_KINDS[list]}; one item is {_kind_of(item)}")
        return self._checked(value, base)

    def parse(self, text: str, base: Path) -> Any:
        """A value from the environment or its own file, checked. Lists are comma-separated."""
        if self.kind is not str and _is_quoted(text):
            raise WrongValueError(_QUOTED)
        return self._checked(_from_text(self.kind, text), base)

    def _checked(self, value: Any, base: Path) -> Any:
        items = value if isinstance(value, list) else [value]
        if not self.free and any(isinstance(each, str) and _is_quoted(each) for each in items):
            raise WrongValueError(_QUOTED)
        return self.check(value, base)


_QUOTED = "has quotes around it that belong to the value: leave them out"


def _is_quoted(text: str) -> bool:
    """Whether quotes were kept around a value, as by `docker run --env-file` or in a file of its own."""
    bare = text.strip()
    return bool(re.match(r"[\"'`“”„‘’«»]", bare) and re.search(r"[\"'`“”„‘’«»]$", bare))


def _kind_of(value: object) -> str:
    if isinstance(value, dict):
        return "a section"
    return _KINDS.get(type(value), "a number or a date")


def _from_text(kind: type, text: str) -> object:
    if kind is bool:
        if text.strip().lower() not in _TRUE + _FALSE:
            raise WrongValueError("must be true or false")
        return text.strip().lower() in _TRUE
    if kind is int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
            raise WrongValueError("must be a whole number")
        return int(text)
    if kind is list:
        return [item.strip() for item in re.split(r"[,\n]", text) if item.strip()]
    return text


def _plain(value: str) -> str:
    if not value.isprintable():
        raise WrongValueError("must not contain line breaks or other control characters")
    return value


def _text(value: str, base: Path) -> str:
    return _plain(value)


def _token(value: str, base: Path) -> str:
    # It is sent in headers and queries without encoding.
    if not re.fullmatch(r"[!-~]*", value):
        raise WrongValueError("must be plain characters without spaces")
    return value


def _switch(value: bool, base: Path) -> bool:
    return value


TEXT = Rule(str, _text, free=True)
TOKEN = Rule(str, _token)
SWITCH = Rule(bool, _switch)


def whole(low: int, high: int) -> Rule:
    """A whole number from ``low`` to ``high``."""

    def check(value: int, base: Path) -> int:
        if not low <= value <= high:
            raise WrongValueError(f"must be from {low} to {high}")
        return value

    return Rule(int, check)


def one_of(*values: str) -> Rule:
    """One of these words."""

    def check(value: str, base: Path) -> str:
        if value not in values:
            raise WrongValueError("must be one of " + ", ".join(f'"{each}"' for each in values))
        return value

    return Rule(str, check)


def _duration(value: str, base: Path) -> int:
    match = re.fullmatch(r"([0-9]{1,12})([smhd])", value.strip())
    if match is None:
        raise WrongValueError('must be a number and a unit of s, m, h or d, as in "30s" or "15m"')
    duration = int(match[1]) * _UNITS[match[2]]
    if duration > MAX_DURATION_MS:
        raise WrongValueError('must be at most "366d"')
    return duration


DURATION = Rule(str, _duration)


def _word(value: str, base: Path) -> str:
    if not re.fullmatch(r"(?![@/])\S{1,64}|", _plain(value)):
        raise WrongValueError('must be one word that does not begin with @ or /, or "" to turn it off')
    return value


WORD = Rule(str, _word)


def _names(value: list[str], base: Path) -> tuple[str, ...]:
    names = tuple(each.removeprefix("@").lower() for each in value)
    if not all(re.fullmatch(r"[a-z0-9._-]{1,64}", each) for each in names):
        raise WrongValueError("must be Mattermost user names")
    return names


NAMES = Rule(list, _names)


def _keys(value: list[str], base: Path) -> tuple[str, ...]:
    numbered = enumerate(value, start=1)
    wrong = [str(number) for number, key in numbered if not re.fullmatch(r"[A-Za-z0-9_-]{43}=", key)]
    if wrong:
        places = ", ".join(wrong)
        raise WrongValueError(f"not a key: number {places} of the list; `zoombot keys new` creates one")
    return tuple(value)


KEYS = Rule(list, _keys)


def _topic(value: str, base: Path) -> str:
    if not _plain(value).strip() or len(value) > MAX_TOPIC:
        raise WrongValueError(f"must be text of 1 to {MAX_TOPIC} characters")
    if re.search(r"[{}]", value.replace("{channel}", "").replace("{user}", "")):
        raise WrongValueError("may contain {channel} and {user}, but no other braces")
    return value


TOPIC = Rule(str, _topic, free=True)


def _host(value: str, base: Path) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}", value) and not is_address(value):
        raise WrongValueError('must be an address or a host name, as in "127.0.0.1" or "::1"')
    return value


HOST = Rule(str, _host)


def _existing(value: str, base: Path) -> str:
    if not value:
        return ""
    path = base / _plain(value)
    try:
        path.open("rb").close()
    except (OSError, ValueError) as error:
        raise WrongValueError(f"{path} cannot be read: {reason(error)}") from None
    return str(path)


FILE = Rule(str, _existing)


def reason(error: Exception) -> str:
    """Why a file could not be read, without quoting it."""
    return getattr(error, "strerror", None) or "it is not a usable file"


def _store(value: str, base: Path) -> str:
    scheme, colon, rest = _plain(value).partition(":")
    if colon and scheme in SCHEMES:
        try:
            read_address(value)
        except WrongAddressError as error:
            raise WrongValueError(str(error)) from None
        return value
    if scheme != "tinydb" or not rest.strip("/") or rest.endswith("/"):
        raise WrongValueError('must be "tinydb:FILE" or "postgresql://USER:PASSWORD@HOST/DATABASE"')
    if rest.startswith("//") and not rest.startswith("///"):
        raise WrongValueError(
            'must be "tinydb:FILE" without slashes before FILE, or "tinydb:/DIRECTORY/FILE"'
        )
    path = "/" + rest.lstrip("/") if rest.startswith("/") else rest
    return f"tinydb:{base / path}"


STORE = Rule(str, _store)


def base_url(*, http_anywhere: bool = False) -> Rule:
    """A base URL, returned without a trailing slash; ``http`` only for loopback hosts, or anywhere."""

    def check(value: str, base: Path) -> str:
        if not value:
            return ""
        parts = _split(value)
        if "?" in value or "#" in value:
            raise WrongValueError("must be a URL without ? and #")
        if parts.scheme == "http" and not http_anywhere and not is_loopback(parts.hostname or ""):
            raise WrongValueError("must begin with https:// (http:// is only for this machine itself)")
        return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"

    return Rule(str, check)


def _icon(value: str, base: Path) -> str:
    if value:
        # Raises for anything but http and https.
        _split(value)
    return value


ICON = Rule(str, _icon)


def _split(value: str) -> SplitResult:
    if not re.fullmatch(r"[!-~]{1,2048}", value) or re.search(r'[\\"<>^`{|}]', value):
        raise WrongValueError("must be a URL without spaces and special characters")
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise WrongValueError("must be a URL with a valid host and port") from None
    if parts.scheme not in ("https", "http"):
        raise WrongValueError("must be a URL that begins with https://, as in https://chat.example.com")
    if "@" in parts.netloc:
        raise WrongValueError("must be a URL without a user name and password")
    if port == 0 or parts.netloc.endswith(":") or not _is_host(host or ""):
        raise WrongValueError("must be a URL with a host, as in https://chat.example.com")
    if "//" in parts.path or re.search(r"/\.\.?(/|$)", parts.path):
        raise WrongValueError("must be a URL without //, /./ and /../ in its path")
    return parts


def _is_host(host: str) -> bool:
    return bool(re.fullmatch(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?", host)) or is_address(host)
