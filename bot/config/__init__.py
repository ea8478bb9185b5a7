"""The operator's settings, from ``bot.toml`` and the environment."""

from __future__ import annotations

from bot.config.loading import load
from bot.config.model import (
    Config,
    LogConfig,
    MattermostConfig,
    MeetingsConfig,
    StoreConfig,
    WebConfig,
    ZoomConfig,
)

__all__ = [
    "Config",
    "LogConfig",
    "MattermostConfig",
    "MeetingsConfig",
    "StoreConfig",
    "WebConfig",
    "ZoomConfig",
    "load",
]
