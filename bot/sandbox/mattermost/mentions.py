"""Whom a message mentions. Pure."""

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
    """The names after an @, in lower case, outside code; a sentence's end is not part of a name."""
    found: set[str] = set()
    for text in texts:
        if "@" not in text:
            continue
        for name in _NAME.findall(_without_code(text)):
            found |= {name.lower(), name.lower().rstrip("._-")}
    return found


def texts_of(message: str, props: Json) -> list[str]:
    """The parts of a post in which a mention counts: its message, and its attachments' two texts."""
    texts = [message]
    attachments = props.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else ():
        if isinstance(attachment, dict):
            texts += [str(attachment.get(key) or "") for key in ("pretext", "text")]
    return texts


def _without_code(text: str) -> str:
    return _SPAN.sub(" ", _INDENTED.sub(" ", _FENCE.sub(" ", text)))
