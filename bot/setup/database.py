"""The doctor's checks of a store in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.config import Config
from bot.config.database import Database, read_address
from bot.errors import StoreError
from bot.setup.findings import Finding, asking, note, ok, wrong
from bot.stores.opening import look_at_database
from bot.stores.seen import WATCH_S, Pooler, SeenDatabase, SeenReplica

URL = "store.url"
TLS = "store TLS"
SERVER = "store server"
REPLICAS = "store replicas"
# The versions of PostgreSQL that the bot is made for, and the newest that it is tried with.
OLDEST, NEWEST = 13, 17
# What a replica takes at most: its pool, and the connection that listens.
CONNECTIONS = 11


async def look(config: Config, *, watch_s: float = WATCH_S) -> tuple[list[Finding], bool]:
    """What there is to say of the database, and whether it has a store that can be read. Takes up to
    ``watch_s`` seconds, to see which replicas live."""
    try:
        seen = await look_at_database(config.store.url, config.store.ca_file, watch_s)
    except StoreError as error:
        return [wrong(URL, _refused(str(error)))], False
    readable = seen.has_store and seen.is_owner and seen.pooler is not Pooler.TRANSACTIONS
    return judged(read_address(config.store.url), seen), readable


def judged(address: Database, seen: SeenDatabase) -> list[Finding]:
    """What follows from what was seen. Pure."""
    found = [*_server(address, seen), *_tls(address, seen), *_store(address, seen)]
    if seen.has_store and seen.is_owner:
        found += _replicas(seen.replicas)
    return found


def _refused(text: str) -> str:
    if " is away: " not in text:
        return text
    return asking(text, "does it run, and may this machine reach it?")


def _server(address: Database, seen: SeenDatabase) -> Iterator[Finding]:
    if seen.major < OLDEST:
        yield wrong(
            URL,
            f"{address.shown} is PostgreSQL {seen.major}: zoombot needs {OLDEST} or newer, up to {NEWEST}",
        )
    elif seen.major > NEWEST:
        yield note(URL, f"{address.shown} is PostgreSQL {seen.major}; zoombot is tried with up to {NEWEST}")
    else:
        yield ok(URL, f"{address.shown} answers: PostgreSQL {seen.major}")
    yield from _between(seen.pooler)
    yield from _settings(seen)


def _between(pooler: Pooler) -> Iterator[Finding]:
    """What a pooler between the bot and the server means."""
    if pooler is Pooler.TRANSACTIONS:
        loses = "loses settings, locks and notifications"
        yield wrong(URL, f"{pooler.value} (PgBouncer?) stands between and {loses}: name PostgreSQL itself")
    elif pooler is Pooler.SESSIONS:
        yield note(URL, f"{pooler.value} stands between: it must not be set to pool transactions")


def _settings(seen: SeenDatabase) -> Iterator[Finding]:
    if seen.unsafe:
        means = "if the server crashes, it may lose what the bot has confirmed"
        yield note(SERVER, f"{', '.join(seen.unsafe)} is off: {means}: set it to on")
    needed = CONNECTIONS * (sum(each.is_alive for each in seen.replicas) + 1)
    if seen.connections < needed:
        text = f"it takes {seen.connections} connections, and with one more replica all may need {needed}"
        yield note(SERVER, f"{text}: raise max_connections")


def _tls(address: Database, seen: SeenDatabase) -> Iterator[Finding]:
    fix = "put sslmode=verify-full into store.url"
    if address.sslmode == "verify-full":
        yield ok(TLS, "is in use, and the server's certificate is verified")
    elif address.is_local:
        yield ok(TLS, "is not needed: the connection does not leave this machine")
    elif address.sslmode == "verify-ca":
        yield note(TLS, f"is in use, but another server of the same authority is taken as well: {fix}")
    elif seen.tls:
        yield note(TLS, f"is in use, but the server's certificate is not verified: {fix}")
    else:
        yield note(TLS, f"is not in use: the password and all data are sent unencrypted: {fix}")


def _store(address: Database, seen: SeenDatabase) -> Iterator[Finding]:
    if seen.is_owner:
        if not seen.has_store:
            yield ok(URL, f"there is no store in {address.shown} yet; `zoombot run` creates it")
        elif not seen.is_ours:
            text = "another version of zoombot has opened the store, and others cannot write to it"
            yield note(URL, f"{text}: run the newest everywhere")
        return
    if seen.has_store:
        text = f"the schema zoombot in {address.shown} or a table in it belongs to another role"
        yield wrong(URL, f"{text}: let {address.user} own them (ALTER … OWNER TO)")
    else:
        fix = f"ALTER DATABASE {address.name} OWNER TO {address.user}"
        yield wrong(URL, f"{address.user} may not create the store in {address.shown}: {fix}")


def _replicas(replicas: Sequence[SeenReplica]) -> Iterator[Finding]:
    alive = [each for each in replicas if each.is_alive]
    if not alive:
        yield note(REPLICAS, "none runs")
    else:
        names = ", ".join(f"{each.number} on {each.host} ({each.groups} groups)" for each in alive)
        leads = next((f"{each.number} leads" for each in alive if each.leads), "none leads yet")
        yield ok(REPLICAS, f"{len(alive)} run: {names}; {leads}")
    if dead := [f"{each.number} on {each.host}" for each in replicas if not each.is_alive]:
        means = "another takes over its work within 12 s, or the first that is started"
        yield note(REPLICAS, f"registered, but not answering: {', '.join(dead)}; {means}")
