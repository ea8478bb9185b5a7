"""Writes the first ``bot.toml`` from the answers."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.config import Config, load
from bot.config.model import KEYS_BY_SECTION, Key
from bot.errors import StartError
from bot.vault import new_key

# What a new file keeps from the one that it replaces: with other keys or another store all links are lost,
# and Zoom still has the old webhook address.
KEPT = ("web.url_secret", "store.url", "store.encryption_keys")

HEAD = """\
# Made by `zoombot init`. The bot.toml in the project's repository shows all other keys and their defaults.
# This file contains secrets: only the bot's own user may read it (chmod 600).
"""


def require_place(path: Path, *, force: bool) -> None:
    """Raise :class:`StartError` if ``path`` must not or cannot be written. Call it before asking."""
    if path.exists() and not force:
        raise StartError(_taken(path))
    folder = path.absolute().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        reason = "it is not writable" if folder.is_dir() else "that directory does not exist"
        raise StartError(f"{path} cannot be written: {folder}: {reason}")
    _read(path)


def write(path: Path, answers: Mapping[str, str], *, force: bool = False) -> Config:
    """Write the file, readable by its owner only.

    Keys of ``KEPT`` that are not in ``answers`` (by dotted key) come from the file that it replaces, or
    get new secrets. Returns the configuration as it will be read. Writes nothing if the answers have faults
    (:class:`bot.errors.ConfigError`), if the file exists and ``force`` is not set, or if it cannot be
    written (:class:`StartError`).
    """
    require_place(path, force=force)
    given = {key: value for key, value in answers.items() if value}
    text = render({**_own(path, given), **given})
    try:
        return _write(path, text, force=force)
    except FileExistsError:
        raise StartError(_taken(path)) from None
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}") from None


def _taken(path: Path) -> str:
    return f"{path} already exists: choose another file with --config, or overwrite it with --force"


def _own(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    old = _read(path)
    own = {"web.url_secret": secrets.token_urlsafe(32), "store.encryption_keys": new_key()}
    for dotted in KEPT:
        if kept := {name: old[name] for name in (dotted, f"{dotted}_file") if name in old}:
            own.pop(dotted, None)
            own |= kept
    return {name: value for name, value in own.items() if name.removesuffix("_file") not in given}


def _read(path: Path) -> dict[str, str]:
    """The file's values as answers; empty if there is no file."""
    if not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        text = "cannot be read, so its encryption keys cannot be kept"
        raise StartError(f"{path} {text}: move it away first") from None
    sections = {name: keys for name, keys in table.items() if isinstance(keys, dict)}
    return {
        f"{section}.{name}": answer
        for section, keys in sections.items()
        for name, value in keys.items()
        if (answer := _answer(value))
    }


def _answer(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _write(path: Path, text: str, *, force: bool) -> Config:
    # mkstemp makes it readable for its owner only, before anything is in it.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        config = load(fresh, {})
        if force:
            _give_to_owner_of(path, fresh)
            fresh.replace(path)
        else:
            _link(fresh, path)
        return config
    finally:
        fresh.unlink(missing_ok=True)


def _give_to_owner_of(path: Path, fresh: Path) -> None:
    """So that the bot's own user can still read a file that root replaced."""
    with contextlib.suppress(OSError):
        owner = path.stat()
        os.chown(fresh, owner.st_uid, owner.st_gid)


def _link(fresh: Path, path: Path) -> None:
    try:
        # Fails if somebody else has created the file in the meantime.
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
        given = [line for key in keys.values() for line in _lines(key, answers)]
        if given:
            lines += [f"[{section}]", *given, ""]
    return "\n".join(lines)


def _lines(key: Key, answers: Mapping[str, str]) -> Iterator[str]:
    if key.dotted in answers:
        yield f"{key.name} = {_toml(key, answers[key.dotted])}"
    if (file := f"{key.dotted}_file") in answers:
        yield f"{key.name}_file = {_quoted(answers[file])}"


def _toml(key: Key, answer: str) -> str:
    if key.rule.kind is list:
        return "[" + ", ".join(_quoted(each.strip()) for each in answer.split(",")) + "]"
    bare = key.rule.kind is not str and re.fullmatch(r"0|[1-9][0-9]*|true|false", answer)
    return answer if bare else _quoted(answer)


def _quoted(text: str) -> str:
    # JSON's escapes work in TOML, except that TOML wants DEL escaped and has no surrogates.
    plain = text.encode("utf-8", "replace").decode()
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")


def addresses(config: Config) -> list[tuple[str, str]]:
    """What to enter at Zoom: each field of its form with its value. The webhook's contains ``url_secret``."""
    base, secret = config.web.public_url, quote(config.web.url_secret, safe="")
    redirect = [] if config.zoom.app == "server-to-server" else [("redirect URL", f"{base}/oauth2/complete")]
    return [*redirect, ("event notification endpoint URL", f"{base}/webhook?secret={secret}")]
