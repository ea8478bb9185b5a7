"""The configuration as the bot uses it: one class per section of ``bot.toml``.

Attributes have the names of the keys; a duration ends in ``_ms`` and is in milliseconds.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from bot.config.database import shown_url
from bot.config.rules import (
    DURATION,
    FILE,
    HOST,
    ICON,
    KEYS,
    NAMES,
    STORE,
    SWITCH,
    TEXT,
    TOKEN,
    TOPIC,
    WORD,
    Rule,
    base_url,
    one_of,
    whole,
)
from bot.hosts import is_loopback

# The kinds of Zoom apps.
App = Literal["user", "account", "server-to-server"]

_PORT = whole(0, 65_535)


def _key(rule: Rule, default: object = "", *, required: bool = False, secret: bool = False) -> Any:
    """One key. A secret may also come from ``<key>_file``, and is left out of reprs."""
    metadata = {"rule": rule, "required": required, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class MattermostConfig:
    """``[mattermost]``"""

    url: str = _key(base_url(http_anywhere=True), required=True)
    token: str = _key(TOKEN, required=True, secret=True)
    ca_file: str = _key(FILE)
    keyword: str = _key(WORD, "zoom")
    catch_up_ms: int = _key(DURATION, 15 * 60_000)
    admins: tuple[str, ...] = _key(NAMES, ())
    override_username: str = _key(TEXT)
    override_icon_url: str = _key(ICON)
    command_token: str = _key(TOKEN, secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomConfig:
    """``[zoom]``"""

    app: App = _key(one_of("user", "account", "server-to-server"), "user")
    client_id: str = _key(TOKEN, required=True)
    client_secret: str = _key(TOKEN, required=True, secret=True)
    account_id: str = _key(TOKEN)
    webhook_secret: str = _key(TOKEN, required=True, secret=True)
    url: str = _key(base_url(), "https://zoom.us")
    api_url: str = _key(base_url(), "https://api.zoom.us/v2")
    ca_file: str = _key(FILE)
    require_same_email: bool = _key(SWITCH, default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """``[web]``"""

    public_url: str = _key(base_url(), required=True)
    host: str = _key(HOST, "127.0.0.1")
    port: int = _key(_PORT, 8090)
    url_secret: str = _key(TOKEN, required=True, secret=True)
    admin_host: str = _key(HOST, "127.0.0.1")
    admin_port: int = _key(_PORT, 8091)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """``[store]``; ``url`` is ``tinydb:`` and an absolute path, or that of a PostgreSQL database."""

    url: str = _key(STORE, "tinydb:zoombot.db", required=True, secret=True)
    ca_file: str = _key(FILE, "")
    encryption_keys: tuple[str, ...] = _key(KEYS, (), required=True, secret=True)

    @property
    def shown(self) -> str:
        """``url`` without the password."""
        return shown_url(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingsConfig:
    """``[meetings]``"""

    default_topic: str = _key(TOPIC, "{channel}")
    duplicate_window_ms: int = _key(DURATION, 30_000)
    personal_meeting_room: str = _key(one_of("never", "ask", "always"), "never")
    confirm_above: int = _key(whole(0, 1_000_000_000), 0)
    restrict_public_channels: bool = _key(SWITCH, default=False)
    post_recordings: str = _key(one_of("link", "link-and-passcode", "host-only", "none"), "link")
    transcripts: bool = _key(SWITCH, default=True)
    summaries: bool = _key(SWITCH, default=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """``[log]``"""

    level: str = _key(one_of("debug", "info", "warning", "error"), "info")
    format: str = _key(one_of("text", "json"), "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration. ``warnings`` are single lines for the operator and contain no secrets."""

    mattermost: MattermostConfig = field(default_factory=MattermostConfig)
    zoom: ZoomConfig = field(default_factory=ZoomConfig)
    web: WebConfig = field(default_factory=WebConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    meetings: MeetingsConfig = field(default_factory=MeetingsConfig)
    log: LogConfig = field(default_factory=LogConfig)
    warnings: tuple[str, ...] = ()

    @property
    def buttons_work(self) -> bool:
        """Whether Mattermost can call the bot when a button is pressed: not if ``public_url`` is on this
        machine and Mattermost is on another."""
        here, there = (urlsplit(each).hostname or "" for each in (self.web.public_url, self.mattermost.url))
        return is_loopback(there) or not is_loopback(here)


SECTIONS: Final[dict[str, type]] = {
    "mattermost": MattermostConfig,
    "zoom": ZoomConfig,
    "web": WebConfig,
    "store": StoreConfig,
    "meetings": MeetingsConfig,
    "log": LogConfig,
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the file: its section and name, its attribute, and its rule."""

    section: str
    name: str
    attribute: str
    rule: Rule
    default: Any
    required: bool
    secret: bool

    @property
    def dotted(self) -> str:
        """``section.key``"""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"ZOOMBOT_{self.section}__{self.name}".upper()


def _described(section: str, entry: Field[Any]) -> Key:
    return Key(
        section=section,
        name=entry.name.removesuffix("_ms"),
        attribute=entry.name,
        rule=entry.metadata["rule"],
        default=entry.default,
        required=entry.metadata["required"],
        secret=entry.metadata["secret"],
    )


KEYS_BY_SECTION: Final[dict[str, dict[str, Key]]] = {
    section: {key.name: key for key in (_described(section, entry) for entry in fields(type_))}
    for section, type_ in SECTIONS.items()
}
