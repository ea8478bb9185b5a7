"""The parts of a post: a message, and the cards below it. Records keep them as JSON; posting renders them.

Cards are message attachments. Every client shows them without a plugin, even the mobile apps.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bot.messages.catalogue import Catalogue
from bot.messages.content import Content, Markdown
from bot.messages.markdown import safe_url

# Two values of at most this many characters fit side by side, even on a phone.
SHORT = 30


class Field(msgspec.Struct, frozen=True):
    """A value with its label."""

    title: Content
    value: Content


class Button(msgspec.Struct, frozen=True):
    """A button. Pressing it sends ``token`` to ``url``. The person may write ``word`` instead."""

    word: str
    label: Content
    style: str
    url: str
    token: str


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A card. Mattermost renders no Markdown in its title, footer and fallback."""

    title: Content = ""
    title_link: str = ""
    color: str = ""
    text: Content | None = None
    fields: list[Field] | None = None
    actions: list[Button] | None = None
    footer: Content = ""
    fallback: Content = ""


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of a post. Editing a post to a card without attachments removes its attachments."""

    message: Content
    attachments: list[Attachment] | None = None
    props: dict[str, Any] = {}


def card(said: Card | Content) -> Card:
    """Wrap content in a card; a card stays as it is."""
    return said if isinstance(said, Card) else Card(said)


def shown(said: Card, language: Catalogue) -> tuple[str, dict[str, Any]]:
    """Render a card to the message and the props of a post."""
    props = dict(said.props)
    if said.attachments is not None:
        props["attachments"] = [_attachment(each, language) for each in said.attachments]
    return language.markdown(said.message), props


def as_written(message: str, props: dict[str, Any]) -> Card:
    """Return the card of a message that was rendered before it was stored."""
    return Card(Markdown(message), props=props)


def _attachment(each: Attachment, language: Catalogue) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "color": each.color,
        "title": language.plain(each.title),
        "title_link": safe_url(each.title_link),
    }
    parts = {key: value for key, value in parts.items() if value}
    if each.text is not None:
        parts["text"] = language.markdown(each.text)
    if each.fields is not None:
        parts["fields"] = [_field(field, language) for field in each.fields]
        if parts["fields"]:
            # Mattermost's web client draws an empty row above a first field that is long.
            parts["fields"][0]["short"] = True
    if each.actions is not None:
        parts["actions"] = [_action(button, language) for button in each.actions]
    if each.footer:
        parts["footer"] = language.plain(each.footer)
    return parts | {"fallback": language.plain(each.fallback).strip()}


def _field(field: Field, language: Catalogue) -> dict[str, Any]:
    value = language.markdown(field.value)
    return {"title": language.plain(field.title), "value": value, "short": len(value) <= SHORT}


def _action(button: Button, language: Catalogue) -> dict[str, Any]:
    return {
        # Only letters and digits: otherwise Mattermost answers 404 when the button is pressed.
        "id": button.word,
        "name": language.plain(button.label),
        "type": "button",
        "style": button.style,
        "integration": {"url": button.url, "context": {"token": button.token}},
    }
