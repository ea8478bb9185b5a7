"""Message attachments as Mattermost shows them, with button callbacks kept on the server. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.sandbox.mattermost.records import Json
from bot.sandbox.mattermost.wire import new_id

_TEXTS = (
    "fallback",
    "color",
    "pretext",
    "author_name",
    "author_link",
    "author_icon",
    "title",
    "title_link",
    "text",
)
_ACTION_KEYS = ("type", "name", "disabled", "style", "data_source", "options", "default_option")


@dataclass(slots=True, frozen=True)
class Action:
    """A button or menu: the URL it calls and the context, which users never see."""

    id: str
    type: str
    data_source: str
    url: str
    context: Json


def clean(props: Json) -> tuple[Json, dict[str, Action]]:
    """Props as clients see them (sorted, attachment fields filled in), and the actions taken out."""
    cleaned = dict(sorted(props.items()))
    actions: dict[str, Action] = {}
    given = cleaned.get("attachments")
    if isinstance(given, list):
        cleaned["attachments"] = [_attachment(one, actions) for one in given if isinstance(one, dict)]
    return cleaned, actions


def embeds(props: Json) -> Json:
    return {"embeds": [{"type": "message_attachment"}]} if props.get("attachments") else {}


def _attachment(given: Json, actions: dict[str, Action]) -> Json:
    shown: Json = {"id": given.get("id") or 0}
    shown |= {key: given.get(key) or "" for key in _TEXTS}
    fields = given.get("fields")
    shown["fields"] = None if fields is None else [_field(one) for one in fields]
    shown |= {key: given.get(key) or "" for key in ("image_url", "thumb_url", "footer", "footer_icon")}
    shown["ts"] = given.get("ts")
    if given.get("actions"):
        shown["actions"] = [_action(one, actions) for one in given["actions"]]
    return shown


def _field(given: Json) -> Json:
    return {
        "title": given.get("title", ""),
        "value": given.get("value"),
        "short": bool(given.get("short", False)),
    }


def _action(given: Json, actions: dict[str, Action]) -> Json:
    action_id = given.get("id") or new_id()
    integration: Any = given.get("integration") or {}
    actions[action_id] = Action(
        id=action_id,
        type=given.get("type", ""),
        data_source=given.get("data_source", ""),
        url=integration.get("url", ""),
        context=dict(integration.get("context") or {}),
    )
    return {"id": action_id} | {key: given[key] for key in _ACTION_KEYS if given.get(key)}
