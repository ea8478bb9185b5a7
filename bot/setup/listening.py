"""The doctor's checks of the addresses that the bot listens on."""

from __future__ import annotations

import asyncio
import socket

from bot.config import WebConfig
from bot.setup.findings import Finding, ok, wrong


async def check_listening(web: WebConfig, *, replica: str = "") -> list[Finding]:
    """Whether both addresses are free. Only useful while the bot does not run, as it uses them. ``replica``:
    the key of the address on which another replica listens, if any does."""
    addresses = {"web.port": (web.host, web.port), "web.admin_port": (web.admin_host, web.admin_port)}
    found = []
    for subject, (host, port) in addresses.items():
        if subject == replica:
            found.append(_another(subject, host, port))
        # 0 means any free port.
        elif port:
            found.append(await asyncio.to_thread(_tried, subject, host, port))
    return found


def _another(subject: str, host: str, port: int) -> Finding:
    fix = "another one on this machine needs ports of its own"
    return ok(subject, f"a replica listens on {host}:{port}; {fix}")


def _tried(subject: str, host: str, port: int) -> Finding:
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as probe:
                # As the bot itself does.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        reason = error.strerror or str(error)
        return wrong(subject, f"the bot cannot listen on {host}:{port}: {reason}; choose another")
    return ok(subject, f"{host}:{port} is free")
