"""Reads a :class:`Config` from the file and the environment, or reports all faults at once."""

from __future__ import annotations

import difflib
import enum
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.config.database import is_database, read_address
from bot.config.model import KEYS_BY_SECTION, SECTIONS, Config, Key, WebConfig
from bot.config.rules import STORE, WrongValueError, reason
from bot.errors import ConfigError

PREFIX = "ZOOMBOT_"
MAX_FILE = 1024 * 1024
MAX_SECRET_FILE = 64 * 1024
# Variables that many programs take a proxy from. Their values may contain a password.
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy")
_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration from the file at ``path`` (None if there is none), overridden by the environment.

    Raises :class:`ConfigError` with every fault, one line each. No fault repeats a value.
    """
    table = _read_toml(path) if path else {}
    base = path.absolute().parent if path else Path.cwd()
    loading = _Loading(table, environ, base)
    config = loading.run()
    if loading.faults:
        raise ConfigError(loading.faults)
    warnings = [*(_about_file(path, table) if path else []), *_about(config), *_about_proxies(environ)]
    return replace(config, warnings=tuple(warnings))


class Origin(enum.Enum):
    """Where a value comes from, the strongest first."""

    VARIABLE = enum.auto()
    VARIABLE_FILE = enum.auto()
    KEY_FILE = enum.auto()
    KEY = enum.auto()
    DEFAULT = enum.auto()


class _Loading:
    """One load: its sources, and the faults so far."""

    def __init__(self, table: Mapping[str, Any], environ: Mapping[str, str], base: Path) -> None:
        self.faults: list[str] = []
        self._table = table
        self._environ = environ
        self._base = base

    def run(self) -> Config:
        """The configuration; use it only if ``faults`` is empty afterwards."""
        self.faults += _unknown_in_file(self._table)
        self.faults += _unknown_in_environment(self._environ)
        sections: dict[str, Any] = {}
        for name, type_ in SECTIONS.items():
            keys = KEYS_BY_SECTION[name].values()
            sections[name] = type_(**{key.attribute: self._value(key) for key in keys})
        config = Config(**sections)
        ports_wrong = any(fault.startswith("web.") for fault in self.faults)
        self.faults += _across(config, ports_wrong=ports_wrong)
        return config

    def _value(self, key: Key) -> Any:
        origin = self._origin(key)
        try:
            value = self._read(key, origin)
        except WrongValueError as wrong:
            self._blame(key, origin, str(wrong))
            return key.default
        if key.required and not value:
            self._blame(key, origin, f"is required{_hint(key)}")
        return value

    def _origin(self, key: Key) -> Origin:
        """The strongest source that has a value."""
        given = self._given(key)
        in_file = key.secret and bool(self._environ.get(f"{key.variable}_FILE"))
        # Who cannot remove a variable that an image sets can empty it.
        if key.variable in self._environ and not (in_file and not self._environ[key.variable]):
            return Origin.VARIABLE
        if in_file:
            return Origin.VARIABLE_FILE
        if key.secret and given.get(f"{key.name}_file", "") != "":
            return Origin.KEY_FILE
        return Origin.KEY if key.name in given else Origin.DEFAULT

    def _given(self, key: Key) -> Mapping[str, Any]:
        section = self._table.get(key.section)
        return section if isinstance(section, dict) else {}

    def _read(self, key: Key, origin: Origin) -> Any:
        match origin:
            case Origin.VARIABLE:
                return key.rule.parse(self._environ[key.variable], Path.cwd())
            case Origin.VARIABLE_FILE:
                return _from_file(key, self._environ[f"{key.variable}_FILE"], Path.cwd())
            case Origin.KEY_FILE:
                return _from_file(key, self._given(key)[f"{key.name}_file"], self._base)
            case Origin.KEY:
                return key.rule.read(self._given(key)[key.name], self._base)
            case Origin.DEFAULT:
                return self._default(key)

    def _default(self, key: Key) -> Any:
        return key.rule.read(key.default, self._base) if key.rule is STORE else key.default

    def _blame(self, key: Key, origin: Origin, what: str) -> None:
        match origin:
            case Origin.VARIABLE:
                fault = f"{key.dotted}: {what} (from {key.variable})"
            case Origin.VARIABLE_FILE:
                fault = f"{key.dotted}: {what} (from {key.variable}_FILE)"
            case Origin.KEY_FILE:
                fault = f"{key.dotted}_file: {what}"
            case _:
                fault = f"{key.dotted}: {what}"
        self.faults.append(fault)


def _hint(key: Key) -> str:
    if key.attribute == "encryption_keys":
        return "; `zoombot keys new` creates one"
    return ""


def _from_file(key: Key, name: object, base: Path) -> Any:
    if not isinstance(name, str):
        raise WrongValueError("must be the path of a file, as text in quotes")
    path = base / name
    return key.rule.parse(_decoded(_bytes_of(path, MAX_SECRET_FILE), path).strip(), path.parent)


def _bytes_of(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise WrongValueError(f"{path} cannot be read: {reason(error)}") from None
    if len(data) > limit:
        raise WrongValueError(f"{path} is larger than {limit} bytes")
    return data


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongValueError(f"{path} is not UTF-8 text (byte {error.start + 1})") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = _decoded(_bytes_of(path, MAX_FILE), path)
    except WrongValueError as wrong:
        hint = "" if path.exists() else "; `zoombot init` creates one"
        raise ConfigError([f"{wrong}{hint}"]) from None
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError([f"{path}: is not valid TOML: nested too deeply"]) from None
    except ValueError as error:
        raise ConfigError([f"{path}: is not valid TOML: {_where(error)}"]) from None


def _where(error: ValueError) -> str:
    # Only the place is used: the rest of the parser's message may quote the file, which contains secrets.
    match = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
    place = match[1] if match else "a value cannot be read"
    return f"{place} (text needs quotes, a list needs brackets, and each key or section may occur only once)"


def _unknown_in_file(table: Mapping[str, Any]) -> Iterator[str]:
    for section, given in table.items():
        if section not in KEYS_BY_SECTION:
            what = "section" if isinstance(given, dict) else "key outside of any section"
            yield f"{_shown(section)}: unknown {what}{_meant(section, KEYS_BY_SECTION)}"
        elif not isinstance(given, dict):
            yield f"{section}: must be a section, [{section}], with its keys below it"
        else:
            for name in given:
                if name not in _names(section):
                    yield f"{section}.{_shown(name)}: unknown key{_meant(name, _names(section), section)}"


def _unknown_in_environment(environ: Mapping[str, str]) -> Iterator[str]:
    for variable in sorted(environ):
        section, separator, name = variable.removeprefix(PREFIX).partition("__")
        if not variable.startswith(PREFIX) or not separator:
            continue
        known = _names(section.lower()) if section.isupper() else ()
        if name.lower() not in known or not name.isupper():
            dotted = f"{_shown(section.lower())}.{_shown(name.lower())}"
            yield f"{dotted}: unknown key (from {_shown(variable)})"


def _names(section: str) -> tuple[str, ...]:
    keys = KEYS_BY_SECTION.get(section, {}).values()
    return tuple(key.name for key in keys) + tuple(f"{key.name}_file" for key in keys if key.secret)


def _shown(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name) else ascii(name[:64])


def _meant(name: str, known: Mapping[str, object] | tuple[str, ...], section: str = "") -> str:
    close = difflib.get_close_matches(name[:64], list(known), n=1)
    return f"; did you mean {section}{'.' if section else ''}{close[0]}?" if close else ""


def _across(config: Config, *, ports_wrong: bool) -> Iterator[str]:
    """Faults in how values fit together."""
    if config.zoom.app == "server-to-server" and not config.zoom.account_id:
        yield 'zoom.account_id: is required when zoom.app is "server-to-server"'
    web = config.web
    if not ports_wrong and web.port and web.port == web.admin_port and _same_host(web):
        yield "web.admin_port: must differ from web.port"


def _same_host(web: WebConfig) -> bool:
    hosts = (web.host.lower(), web.admin_host.lower())
    return hosts[0] == hosts[1] or any(host in _EVERY_ADDRESS for host in hosts)


def _about_file(path: Path, table: Mapping[str, Any]) -> Iterator[str]:
    kept = [
        key.dotted
        for keys in KEYS_BY_SECTION.values()
        for key in keys.values()
        if key.secret and _is_secret(table.get(key.section, {}).get(key.name))
    ]
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    # Service managers make such a file readable by its group (0640).
    if kept and mode & 0o037:
        yield f"{path}: contains secrets ({', '.join(kept)}) and other users can access it: chmod 600 {path}"


def _is_secret(value: object) -> bool:
    """Whether the value of a secret key is one: the path of a file is not."""
    return bool(value) and not (isinstance(value, str) and value.startswith("tinydb:"))


def _about_proxies(environ: Mapping[str, str]) -> Iterator[str]:
    names = [name for name in environ if name.lower() in _PROXIES and environ[name]]
    if names:
        refused = "outgoing proxies are not supported, zoombot connects to Mattermost and Zoom directly"
        yield f"{', '.join(sorted(names))}: {refused}"


def _about(config: Config) -> Iterator[str]:
    if urlsplit(config.mattermost.url).scheme == "http":
        yield "mattermost.url: begins with http://: the token and all messages are sent unencrypted"
    if is_database(config.store.url):
        address = read_address(config.store.url)
        if address.sslmode != "verify-full" and not address.is_local:
            yield "store.url: add ?sslmode=verify-full, or others may read or change what the bot stores"
    elif config.store.ca_file:
        yield "store.ca_file: is only for a database"
    if urlsplit(config.mattermost.override_icon_url).scheme == "http":
        yield "mattermost.override_icon_url: begins with http://: pages over https may not show it"
