"""Finds the mentions in a message. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.sandbox.mattermost.records import Json

EVERYBODY = frozenset({"channel", "all", "here"})

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_INDENTED = re.compile(r"(?:\A|(?<=\n\n))(?: {4}|\t).*")
_NAME = re.compile(r"(?<![\w.@-])@([a-z0-9._-]+)", re.IGNORECASE)


def names(texts: Iterable[str]) -> set[str]:
    """The lower-case names after an @ outside code, with and without trailing punctuation."""
    found: set[str] = set()
    for text in texts:
        if "@" not in text:
            continue
        for name in _NAME.findall(_without_code(text)):
            found |= {name.lower(), name.lower().rstrip("._-")}
    return found


def texts_of(message: str, props: Json) -> list[str]:
    """The texts in which mentions count: the message, and each attachment's pretext and text."""
    texts = [message]
    attachments = props.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else ():
        if isinstance(attachment, dict):
            texts += [str(attachment.get(key) or "") for key in ("pretext", "text")]
    return texts


def _without_code(text: str) -> str:
    return _SPAN.sub(" ", _INDENTED.sub(" ", _FENCE.sub(" ", text)))
