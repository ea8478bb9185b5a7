"""The first ``bot.toml``: the file that the answers make."""

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

# What a new file has from the one that it replaces. Under other keys nobody's link opens, in another store
# there are none, and at Zoom stands the old address.
KEPT = ("web.url_secret", "store.url", "store.encryption_keys")

HEAD = """\
# Made by `zoombot init`. All other keys, with their defaults: the bot.toml of the project's repository.
# It holds secrets: keep it to the bot's own user (chmod 600).
"""


def require_place(path: Path, *, force: bool) -> None:
    """Raise :class:`StartError` if nothing may or can be written to ``path``: better before all is asked."""
    if path.exists() and not force:
        raise StartError(_taken(path))
    folder = path.absolute().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        reason = "nothing can be written there" if folder.is_dir() else "that directory does not exist"
        raise StartError(f"{path} cannot be written: {folder}: {reason}")
    _read(path)


def write(path: Path, answers: Mapping[str, str], *, force: bool = False) -> Config:
    """Write the file, for its owner alone. What ``answers`` (by dotted key) lacks of ``KEPT`` comes from the
    file that it replaces; where there is none, the secrets among it are fresh.

    Returns the configuration as it will be read. Nothing is written if the answers have faults
    (:class:`bot.errors.ConfigError`), if the file is there and not ``force``, or if it cannot be written
    (:class:`StartError`).
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
    return f"{path} exists already, and was left as it is: --config names another, --force overwrites it"


def _own(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    old = _read(path)
    own = {"web.url_secret": secrets.token_urlsafe(32), "store.encryption_keys": new_key()}
    for dotted in KEPT:
        if kept := {name: old[name] for name in (dotted, f"{dotted}_file") if name in old}:
            own.pop(dotted, None)
            own |= kept
    return {name: value for name, value in own.items() if name.removesuffix("_file") not in given}


def _read(path: Path) -> dict[str, str]:
    """What the file says, as answers; empty if there is none."""
    if not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        text = "cannot be read, so that its encryption keys cannot be kept"
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
            _give_to_owner_of(path, fresh)
            fresh.replace(path)
        else:
            _link(fresh, path)
        return config
    finally:
        fresh.unlink(missing_ok=True)


def _give_to_owner_of(path: Path, fresh: Path) -> None:
    """Root may renew the file of the bot's own user, who has to read it afterwards."""
    with contextlib.suppress(OSError):
        owner = path.stat()
        os.chown(fresh, owner.st_uid, owner.st_gid)


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
    # JSON's escapes are TOML's too, but for DEL, which TOML wants escaped, and surrogates, which it lacks.
    plain = text.encode("utf-8", "replace").decode()
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")


def addresses(config: Config) -> list[tuple[str, str]]:
    """What to enter at Zoom: each field of its form, and the value. The webhook's holds ``url_secret``."""
    base, secret = config.web.public_url, quote(config.web.url_secret, safe="")
    redirect = [] if config.zoom.app == "server-to-server" else [("redirect URL", f"{base}/oauth2/complete")]
    return [*redirect, ("event notification endpoint URL", f"{base}/webhook?secret={secret}")]
