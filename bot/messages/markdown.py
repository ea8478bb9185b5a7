"""Make text from outside safe to show in Mattermost's Markdown. Pure.

Mattermost's own renderers support fewer backslash escapes than CommonMark (none for ``<``, ``@``, ``:`` and
``&``), and its server looks for mentions in the rest of the text. An invisible zero-width space after
those characters breaks the mention, the link or the entity.
"""

from __future__ import annotations

import re

_GAP = "\u200b"
# Control characters, direction and annotation marks, and lone surrogates. Joiners stay, because scripts and
# emoji need them.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff]"
)
# Words of which each is shown as it is.
_HARMLESS = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
_SPACE = re.compile(r"\s+")
_ESCAPED = re.compile(r"([\\`*_\[\]()~|>{}!+-])")
_GAPPED = re.compile(
    r"([@&<#$]|:(?=//|[\w+]+:)|(?<!\S):(?=\S)|\bwww\d{0,3}(?=\.)|\b(?:mailto|tel)(?=:)|^=|^\d+(?=\.))",
    re.IGNORECASE,
)
_AT = re.compile(r"@(?=\S)")
_TICKS = re.compile(r"`+")
_UNSAFE_URL = re.compile(r"[^A-Za-z0-9\-._~:/?#!$&'*+,=%]|%(?![0-9A-Fa-f]{2})")


def escape(text: str) -> str:
    """Return ``text`` on one line, shown literally: without mentions, links and formatting."""
    if _HARMLESS.fullmatch(text):
        return text
    plain = _SPACE.sub(" ", _INVISIBLE.sub("", text)).strip()
    return _GAPPED.sub(rf"\1{_GAP}", _ESCAPED.sub(r"\\\1", plain))


def plain(text: str) -> str:
    """Return ``text`` on one line, for places that render no Markdown but still look for mentions."""
    if _HARMLESS.fullmatch(text):
        return text
    return _AT.sub(f"@{_GAP}", _SPACE.sub(" ", _INVISIBLE.sub("", text)).strip())


def sendable(text: str) -> str:
    """Replace the lone surrogates in ``text``, because JSON cannot carry them."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def link(text: str, url: str) -> str:
    """Return a link that shows ``text``. Neither ``text`` nor ``url`` can break out of it."""
    return f"[{escape(text)}]({safe_url(url)})"


def code(text: str) -> str:
    """Return ``text`` on one line as inline code, to copy verbatim."""
    shown = _SPACE.sub(" ", _INVISIBLE.sub("", text)).strip()
    ticks = max(map(len, _TICKS.findall(shown)), default=0)
    return f"{'`' * (ticks + 1)} {shown} {'`' * (ticks + 1)}" if ticks else f"`{shown}`"


def safe_url(url: str) -> str:
    """Percent-encode everything in ``url`` that could end a link's destination or mention somebody."""
    return _UNSAFE_URL.sub(
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace")), url
    )
