"""Zoom: its OAuth, its API, and the tokens of linked accounts.

Other packages do not depend on how these are implemented.
"""

from __future__ import annotations

from bot.zoom.account_token import AccountToken
from bot.zoom.client import App, Zoom
from bot.zoom.models import (
    Caller,
    Grant,
    MeetingInfo,
    Past,
    Settings,
    ZoomUser,
)
from bot.zoom.oauth import OAuth
from bot.zoom.sessions import open_session
from bot.zoom.timings import ZoomTimings
from bot.zoom.tokens import ACCOUNT, LINKING, Tokens, TokenSource

__all__ = [
    "ACCOUNT",
    "LINKING",
    "AccountToken",
    "App",
    "Caller",
    "Grant",
    "MeetingInfo",
    "OAuth",
    "Past",
    "Settings",
    "TokenSource",
    "Tokens",
    "Zoom",
    "ZoomTimings",
    "ZoomUser",
    "open_session",
]
