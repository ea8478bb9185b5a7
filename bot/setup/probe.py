"""``python -m bot.setup.probe``: a health check for containers and service managers.

Reads the same configuration as ``zoombot run`` and asks ``/healthz`` where the bot listens. Exit status 0 if
the bot answers, 1 if it does not, 2 if the configuration cannot be read.
"""

from __future__ import annotations

import argparse
import http.client
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.config import WebConfig, load
from bot.errors import ConfigError

TIMEOUT_S = 3.0


def local(host: str) -> str:
    """An address of this machine that a server which listens on ``host`` can be reached at."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared with


def address(web: WebConfig) -> tuple[str, int]:
    """Where the operator's port of a bot on this machine can be reached."""
    return local(web.admin_host), web.admin_port


def probe(web: WebConfig) -> str:
    """Why the bot of this configuration does not answer; empty if it does. Blocks for a few seconds."""
    host, port = address(web)
    if not port:
        return "web.admin_port is 0, a port that nobody knows: choose one"
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"nothing answers at {host}:{port}: {getattr(error, 'strerror', None) or type(error).__name__}"
    finally:
        connection.close()
    return "" if status == http.client.OK else f"{host}:{port} answers with status {status}"


def main(arguments: Sequence[str]) -> int:
    """Probe the bot of ``--config``; without that file, the one of the environment."""
    parser = argparse.ArgumentParser(prog="python -m bot.setup.probe", description=main.__doc__)
    parser.add_argument("--config", type=Path, default=Path("bot.toml"))
    path = parser.parse_args(arguments).config
    try:
        config = load(path if path.exists() else None, os.environ)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what a health check prints is what the operator sees
        return 2
    if trouble := probe(config.web):
        print(trouble, file=sys.stderr)  # noqa: T201
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
