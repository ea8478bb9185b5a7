"""Trigger ids, which allow an integration to open a dialog for three seconds."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from bot.sandbox.mattermost.refusals import Refusal
from bot.sandbox.mattermost.wire import new_id
from bot.sandbox.mattermost.world import World

MAX_KEPT = 1000


@dataclass(slots=True, frozen=True)
class Trigger:
    """A trigger id: `client` is the part sent to the user's client, `full` goes to the integration."""

    client: str
    full: str


class Triggers:
    """Creates and checks trigger ids, and remembers the channel of each."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._key = secrets.token_bytes(32)
        self._channels: OrderedDict[str, str] = OrderedDict()

    def make(self, user_id: str, channel_id: str) -> Trigger:
        client = new_id()
        self._channels[client] = channel_id
        if len(self._channels) > MAX_KEPT:
            self._channels.popitem(last=False)
        signed = f"{client}:{user_id}:{self._world.now()}"
        full = f"{signed}:{self._sign(signed)}"
        return Trigger(client, base64.b64encode(full.encode()).decode())

    def open(self, full: str) -> tuple[str, str, str]:
        """Check a trigger id; returns its client part, user id and channel id."""
        try:
            client, user_id, moment, signature = base64.b64decode(full, validate=True).decode().split(":")
        except (binascii.Error, ValueError):
            raise _refused("base64_decode_failed", "Failed to decode base64 trigger ID.") from None
        if not hmac.compare_digest(signature, self._sign(f"{client}:{user_id}:{moment}")):
            raise _refused("verify_signature_failed", "Signature verification failed.")
        if self._world.now() - int(moment) > self._world.trigger_life * 1000:
            raise _refused(
                "expired",
                "Trigger ID for interactive dialog is expired. Trigger IDs live for a maximum of 3 seconds.",
            )
        return client, user_id, self._channels.get(client, "")

    def _sign(self, text: str) -> str:
        return base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()


def _refused(code: str, message: str) -> Refusal:
    return Refusal(400, f"interactive_message.decode_trigger_id.{code}", message)
