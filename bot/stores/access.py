"""Why the store's files cannot be read or written: whose they are, and what to do about it."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path


def access_trouble(path: Path) -> str:
    """What keeps this process from using the store at ``path``, and the command that mends it; empty if its
    files and its directory can be read and written. Call it in a thread."""
    return next(_troubles(path), "")


def _troubles(path: Path) -> Iterator[str]:
    for each in (
        path.parent,
        *(path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm", "-lock")),
    ):
        try:
            found = each.stat()
        except PermissionError:
            yield f"zoombot, which runs as {_user(os.geteuid())}, may not enter {each.parent}"
            return
        except OSError:
            continue
        if os.statvfs(each).f_flag & os.ST_RDONLY:
            yield f"{each} is on a read-only mount: mount it so that zoombot can write there"
        elif not _usable(each, found):
            yield _denied(each, found)


def _usable(path: Path, found: os.stat_result) -> bool:
    is_directory = stat.S_ISDIR(found.st_mode)
    mode = os.R_OK | os.W_OK | (os.X_OK if is_directory else 0)
    if not os.access(path, mode, effective_ids=os.access in os.supports_effective_ids):
        return False
    # A file is made private, which only its owner may do.
    return is_directory or os.geteuid() in (0, found.st_uid)


def _denied(path: Path, found: os.stat_result) -> str:
    me, owner = _user(os.geteuid()), _user(found.st_uid)
    if found.st_uid == os.geteuid():
        wanted = "u+rwx" if stat.S_ISDIR(found.st_mode) else "u+rw"
        return f"{path} belongs to {owner}, but with a mode that forbids its use: `chmod {wanted} {path}`"
    mode = stat.S_IMODE(found.st_mode)
    text = (
        f"{path} belongs to {owner} (group {_group(found.st_gid)}, mode {mode:04o}), and zoombot runs as {me}"
    )
    return f"{text}: `chown {me} {path}`, or run zoombot as {owner}"


def _user(id_: int) -> str:
    try:
        return pwd.getpwuid(id_).pw_name
    except KeyError:
        return str(id_)


def _group(id_: int) -> str:
    try:
        return grp.getgrgid(id_).gr_name
    except KeyError:
        return str(id_)
