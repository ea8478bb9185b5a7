"""An in-memory Zoom: OAuth, API v2, signed webhooks and pages for people."""

from bot.sandbox.zoom.models import Call, Delivery, Event, Meeting, Participant, User
from bot.sandbox.zoom.server import Zoom

__all__ = ["Call", "Delivery", "Event", "Meeting", "Participant", "User", "Zoom"]
