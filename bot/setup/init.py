"""The first ``bot.toml``: what is asked, and the file that the answers make."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from bot.config import Config, load
from bot.config.model import KEYS_BY_SECTION, Key
from bot.errors import StartError
from bot.setup.questions import Question
from bot.vault import new_key

HEAD = """\
# Made by `zoombot init`. All other keys, with their defaults: the bot.toml of the project's repository.
# It holds secrets: keep it to the bot's own user (chmod 600).
"""


def suggested(question: Question, answers: Mapping[str, str]) -> str:
    """What the question offers, given the answers so far (by dotted key)."""
    if question.key == "web.public_url" and answers.get("mattermost.url"):
        return answers["mattermost.url"].rstrip("/") + "/plugins/zoom"
    return question.default


def applies(question: Question, answers: Mapping[str, str]) -> bool:
    """Whether it has to be asked at all, given the answers so far."""
    return question.asked and question.app in ("", answers.get("zoom.app", ""))


def write(path: Path, answers: Mapping[str, str], *, force: bool = False) -> Config:
    """Write the file, for its owner alone, with fresh secrets where ``answers`` (by dotted key) has none.

    Returns the configuration as it will be read. Nothing is written if the answers have faults
    (:class:`bot.errors.ConfigError`), if the file is there and not ``force``, or if it cannot be written
    (:class:`StartError`).
    """
    if path.exists() and not force:
        raise StartError(_taken(path))
    generated = {"web.url_secret": secrets.token_urlsafe(32), "store.encryption_keys": new_key()}
    text = render({**generated, **{key: value for key, value in answers.items() if value}})
    try:
        return _write(path, text, force=force)
    except FileExistsError:
        raise StartError(_taken(path)) from None
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}") from None


def _taken(path: Path) -> str:
    return f"{path} exists already, and was left as it is: --force overwrites it"


def _write(path: Path, text: str, *, force: bool) -> Config:
    # mkstemp makes it readable for its owner alone, before anything is in it.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        config = load(fresh, {})
        if force:
            fresh.replace(path)
        else:
            _link(fresh, path)
        return config
    finally:
        fresh.unlink(missing_ok=True)


def _link(fresh: Path, path: Path) -> None:
    try:
        # Fails if somebody else has made the file meanwhile.
        path.hardlink_to(fresh)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links.
        fresh.replace(path)


def render(answers: Mapping[str, str]) -> str:
    """The file's text. Pure."""
    lines = [HEAD]
    for section, keys in KEYS_BY_SECTION.items():
        given = [
            f"{key.name} = {_toml(key, answers[key.dotted])}"
            for key in keys.values()
            if key.dotted in answers
        ]
        if given:
            lines += [f"[{section}]", *given, ""]
    return "\n".join(lines)


def _toml(key: Key, answer: str) -> str:
    if key.rule.kind is list:
        return "[" + ", ".join(_quoted(each.strip()) for each in answer.split(",")) + "]"
    bare = key.rule.kind is not str and re.fullmatch(r"0|[1-9][0-9]*|true|false", answer)
    return answer if bare else _quoted(answer)


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's too, but for DEL, which TOML wants escaped, and surrogates, which it lacks.
    plain = text.encode("utf-8", "replace").decode()
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")


def addresses(config: Config) -> list[tuple[str, str]]:
    """What to enter at Zoom: each field of its form, and the value. The webhook's holds ``url_secret``."""
    base, secret = config.web.public_url, quote(config.web.url_secret, safe="")
    redirect = [] if config.zoom.app == "server-to-server" else [("redirect URL", f"{base}/oauth2/complete")]
    return [*redirect, ("event notification endpoint URL", f"{base}/webhook?secret={secret}")]
