"""Checks of host names and IP addresses. Pure."""

from __future__ import annotations

from ipaddress import ip_address


def is_address(host: str) -> bool:
    """Whether ``host`` is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine itself."""
    return host == "localhost" or (is_address(host) and ip_address(host).is_loopback)
