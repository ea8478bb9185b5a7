"""Mattermost: REST calls and the WebSocket of a plain bot account.

Other packages do not depend on how either is implemented.
"""

from __future__ import annotations

from bot.mattermost.client import Mattermost
from bot.mattermost.connection import SocketTimings
from bot.mattermost.models import Channel, Member, Post, User
from bot.mattermost.server_clock import ServerClock
from bot.mattermost.sessions import open_session
from bot.mattermost.socket import Socket, SocketState

__all__ = [
    "Channel",
    "Mattermost",
    "Member",
    "Post",
    "ServerClock",
    "Socket",
    "SocketState",
    "SocketTimings",
    "User",
    "open_session",
]
