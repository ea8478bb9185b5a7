"""The address of a PostgreSQL database, as ``store.url`` names it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

SCHEMES = ("postgresql", "postgres")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_PORT = 5432
# What libpq takes in a URL and this program has a use for. ``sslrootcert`` is ``store.ca_file`` here.
_PARAMETERS = frozenset({"host", "port", "user", "password", "dbname", "sslmode", "target_session_attrs"})
_SESSIONS = ("any", "primary", "read-write")


class WrongAddressError(ValueError):
    """The text is no address of a database. The text of the error does not quote it."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where a database is, and as whom to log in.

    ``hosts`` are host names, addresses or directories of Unix sockets, each with its port: more than one are
    the members of one cluster.
    """

    hosts: tuple[tuple[str, int], ...]
    name: str
    user: str
    password: str = field(repr=False)
    sslmode: str = "prefer"
    session: str = "read-write"

    @property
    def shown(self) -> str:
        """The address without the password."""
        places = ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts
        )
        return f"postgresql://{self.user}@{places}/{self.name}"

    @property
    def is_local(self) -> bool:
        """Whether the connection does not leave this machine."""
        return all(
            host.startswith("/") or host in ("localhost", "127.0.0.1", "::1") for host, _ in self.hosts
        )


def is_database(url: str) -> bool:
    """Whether ``store.url`` names a database, and no file."""
    return url.partition(":")[0] in SCHEMES


def read_address(url: str) -> Database:
    """The address in a URL as libpq takes it. Raises :class:`WrongAddressError`."""
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise WrongAddressError("must be postgresql://USER:PASSWORD@HOST/DATABASE") from None
    if parts.scheme not in SCHEMES or not url.startswith(f"{parts.scheme}://") or parts.fragment:
        raise WrongAddressError(
            "must be postgresql://USER:PASSWORD@HOST/DATABASE; "
            "write # / ? and @ in the password as %23 %2F %3F %40"
        )
    if unknown := sorted(query.keys() - _PARAMETERS):
        hint = "; name the certificate in store.ca_file" if "sslrootcert" in unknown else ""
        known = [name for name in unknown if name.isidentifier() and name.startswith("ssl")]
        raise WrongAddressError(f"has unknown parameters {', '.join(known)}{hint}".rstrip())
    return _address(parts, MappingProxyType(query))


def _address(parts: SplitResult, query: Mapping[str, str]) -> Database:
    login, at, places = parts.netloc.rpartition("@")
    user, _, password = login.partition(":") if at else ("", "", "")
    found = Database(
        hosts=_hosts(query.get("host", places), query.get("port", "")),
        name=query.get("dbname") or unquote(parts.path.removeprefix("/")),
        user=query.get("user") or unquote(user),
        password=query.get("password") or unquote(password),
        sslmode=query.get("sslmode", "prefer"),
        session=query.get("target_session_attrs", "read-write"),
    )
    if not found.name.strip("/"):
        raise WrongAddressError("must name the database: postgresql://USER:PASSWORD@HOST/DATABASE")
    if not found.user:
        raise WrongAddressError("must name the user: postgresql://USER:PASSWORD@HOST/DATABASE")
    if found.sslmode not in SSL_MODES:
        raise WrongAddressError(f"sslmode must be one of {', '.join(SSL_MODES)}")
    if found.session not in _SESSIONS:
        raise WrongAddressError(f"target_session_attrs must be one of {', '.join(_SESSIONS)}")
    return found


def _hosts(places: str, ports: str) -> tuple[tuple[str, int], ...]:
    found = [_host(place) for place in places.split(",")]
    given = [_port(each) for each in ports.split(",")] if ports else []
    if len(given) == 1:
        given *= len(found)
    if given and len(given) != len(found):
        raise WrongAddressError("must have as many ports as hosts")
    return tuple((host, given[at] if given else port) for at, (host, port) in enumerate(found))


def _host(place: str) -> tuple[str, int]:
    if place.startswith("/"):
        return place, _PORT
    host, bracket, rest = place.rpartition("]")
    if not bracket:
        host, _, port = place.partition(":")
    else:
        host, port = host.removeprefix("["), rest.removeprefix(":")
    if not host:
        raise WrongAddressError("must name the host: postgresql://USER:PASSWORD@HOST/DATABASE")
    return unquote(host), _port(port) if port else _PORT


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise WrongAddressError("must have a port between 1 and 65535")
    return int(text)


def shown_url(url: str) -> str:
    """A ``store.url`` as the operator may see it: without the password of a database."""
    if not is_database(url):
        return url
    try:
        return read_address(url).shown
    except WrongAddressError:
        return f"{SCHEMES[0]}://…"
