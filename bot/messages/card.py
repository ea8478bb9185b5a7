"""The parts of a post: a message, and the cards below it. Kept in records as JSON, rendered when it is said.

Cards are message attachments: they show in every client, the mobile apps too, without a plugin.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bot.messages.catalogue import Catalogue
from bot.messages.content import Content, Markdown
from bot.messages.markdown import safe_url

# Two values of at most so many characters stand side by side, on a phone, too.
SHORT = 30


class Field(msgspec.Struct, frozen=True):
    """A fact, and what it is called."""

    title: Content
    value: Content


class Button(msgspec.Struct, frozen=True):
    """A button: ``word`` may be written in its place. Pressed, ``token`` is sent to ``url``."""

    word: str
    label: Content
    style: str
    url: str
    token: str


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A card. Its title, footer and fallback render no Markdown."""

    title: Content = ""
    title_link: str = ""
    color: str = ""
    text: Content | None = None
    fields: list[Field] | None = None
    actions: list[Button] | None = None
    footer: Content = ""
    fallback: Content = ""


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a post says. An edit to a card without attachments takes them away."""

    message: Content
    attachments: list[Attachment] | None = None
    props: dict[str, Any] = {}


def card(said: Card | Content) -> Card:
    """A post that says just this."""
    return said if isinstance(said, Card) else Card(said)


def shown(said: Card, language: Catalogue) -> tuple[str, dict[str, Any]]:
    """A post's message and its props, as Mattermost takes them."""
    props = dict(said.props)
    if said.attachments is not None:
        props["attachments"] = [_attachment(each, language) for each in said.attachments]
    return language.markdown(said.message), props


def as_written(message: str, props: dict[str, Any]) -> Card:
    """What was rendered before it was kept."""
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
        # Mattermost answers 404 when a button whose id has anything but letters and digits is pressed.
        "id": button.word,
        "name": language.plain(button.label),
        "type": "button",
        "style": button.style,
        "integration": {"url": button.url, "context": {"token": button.token}},
    }
