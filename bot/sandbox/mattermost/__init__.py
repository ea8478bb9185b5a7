"""An in-memory Mattermost server that keeps state and checks requests as strictly as the real one."""

from __future__ import annotations

from bot.sandbox.mattermost.records import Call, Channel, Dialog, Ephemeral, Post, User
from bot.sandbox.mattermost.refusals import Refusal
from bot.sandbox.mattermost.server import Mattermost

__all__ = ["Call", "Channel", "Dialog", "Ephemeral", "Mattermost", "Post", "Refusal", "User"]
