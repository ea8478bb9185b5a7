"""The doctor and a store in PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from bot.clock import now_ms
from bot.config import Config
from bot.config.database import read_address, shown_url
from bot.domain.records import Pending
from bot.setup import database
from bot.setup.check import check
from bot.setup.findings import Finding, Level
from bot.setup.store import check_store
from bot.stores import Put
from bot.stores.opening import open_store
from bot.stores.seen import Pooler, SeenDatabase
from bot.vault import Vault
from tests.ports import free_port
from tests.stores.pooler import pgbouncer
from tests.stores.replica import replica
from tests.stores.server import OwnServer, execute, new_database, own_server

PASSWORD = "pass-word-of-the-role"


def at(config: Config, url: str, ca_file: str = "") -> Config:
    return replace(config, store=replace(config.store, url=url, ca_file=ca_file))


def of(findings: list[Finding], level: Level) -> list[str]:
    return [f"{each.subject}: {each.text}" for each in findings if each.level is level]


@pytest.fixture
def kept(stored: Config) -> Config:
    """A configuration whose store is an empty database."""
    return at(stored, new_database())


async def test_a_database_without_a_store_is_right_and_stays_as_it_is(kept: Config) -> None:
    found = await check_store(kept)
    assert of(found, Level.WRONG) == []
    said = "\n".join(of(found, Level.OK))
    assert "answers: PostgreSQL" in said
    assert "there is no store in postgresql://" in said
    assert "the connection does not leave this machine" in said
    # Looking made nothing.
    assert of(await check_store(kept), Level.OK) == of(found, Level.OK)


async def test_what_the_store_has_and_who_leads_is_said_while_a_replica_runs(kept: Config) -> None:
    async with replica(kept.store.url):
        store = await open_store(kept.store.url)
        sealed = Vault(kept.store.encryption_keys).seal("b", "request")
        await store.commit(Put(Pending(id="b", user_id="b", sealed=sealed, asked_at=now_ms())))
        await store.close()
        found = await check_store(kept)
    assert of(found, Level.WRONG) == []
    said = "\n".join(of(found, Level.OK))
    assert "readable: 0 linked accounts" in said
    assert "all 1 sealed values open" in said
    assert "store replicas: 1 run: 1 on " in said
    assert "(33 groups); 1 leads" in said
    (none,) = [each for each in of(await check_store(kept), Level.NOTE) if "replicas" in each]
    assert none == "store replicas: none runs"


async def test_a_replica_that_does_not_answer_is_no_one_that_runs(kept: Config) -> None:
    await (await open_store(kept.store.url)).close()
    await execute(kept.store.url, "INSERT INTO zoombot.replicas (name) VALUES ('zoombot old-host 1')")
    found = of((await database.look(kept, watch_s=0.3))[0], Level.NOTE)
    assert "store replicas: none runs" in found
    assert any("not answering: 1 on old-host" in each for each in found)


async def test_a_store_of_another_version_is_said(kept: Config) -> None:
    await (await open_store(kept.store.url)).close()
    said = "another version of zoombot has opened the store"
    assert not any(said in each for each in of(await check_store(kept), Level.NOTE))
    await execute(kept.store.url, "UPDATE zoombot.about SET indexes = 'others'")
    assert any(said in each for each in of(await check_store(kept), Level.NOTE))


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OwnServer, Path]]:
    """A server with TLS that wants a password, and the PEM of its authority."""
    server, authority = own_server(), trustme.CA()
    made = authority.issue_cert("localhost")
    for name, blob in (("server.crt", made.cert_chain_pems[0]), ("server.key", made.private_key_pem)):
        blob.write_to_path(str(server.data / name))
        (server.data / name).chmod(0o600)
        os.chown(server.data / name, server.data.stat().st_uid, -1)
    pem = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    server.start("-c fsync=off", "-c ssl=on")
    sql = f"CREATE ROLE owner LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}';"
    asyncio.run(execute(server.url, sql))
    for statement in ("CREATE DATABASE kept OWNER owner", "CREATE DATABASE cold OWNER owner"):
        asyncio.run(execute(server.url, statement))
    hba = "host all zoombot 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (server.data / "pg_hba.conf").write_text(hba)
    asyncio.run(execute(server.url, "SELECT pg_reload_conf()"))
    yield server, pem
    server.remove()


def reach(strict: tuple[OwnServer, Path], user: str = "owner", name: str = "kept", **other: str) -> str:
    password = other.pop("password", PASSWORD)
    query = "&".join(f"{key}={value}" for key, value in other.items())
    return f"postgresql://{user}:{password}@localhost:{strict[0].port}/{name}?{query}"


async def test_tls_that_is_verified_is_said(stored: Config, strict: tuple[OwnServer, Path]) -> None:
    config = at(stored, reach(strict, sslmode="verify-full"), str(strict[1]))
    found = await check_store(config)
    assert of(found, Level.WRONG) == []
    assert "store TLS: is in use, and the server's certificate is verified" in of(found, Level.OK)
    assert PASSWORD not in "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"sslmode": "verify-full"}, "store.ca_file"),
        ({"password": "another"}, "refuses the user or the password: correct store.url"),
        ({"user": "nobody"}, "refuses the user or the password: correct store.url"),
        ({"name": "missing"}, "no such database: create it"),
        ({"user": "guest"}, "guest may not create the store in"),
    ],
)
async def test_what_is_wrong_is_one_line_with_what_to_do(
    stored: Config, strict: tuple[OwnServer, Path], place: dict[str, str], said: str
) -> None:
    found = await check_store(at(stored, reach(strict, **place)))
    (line,) = of(found, Level.WRONG)
    assert line.startswith("store.url: ")
    assert said in line
    for secret in (PASSWORD, "another"):
        assert secret not in "\n".join(map(str, found))


async def test_a_store_of_another_role_is_said(stored: Config, strict: tuple[OwnServer, Path]) -> None:
    server, _ = strict
    cold = urlsplit(server.url)._replace(path="/cold").geturl()
    await (await open_store(cold)).close()
    (line,) = of(await check_store(at(stored, reach(strict, name="cold"))), Level.WRONG)
    assert "belongs to another role: let owner own them" in line


async def test_a_server_that_is_not_there_is_said(stored: Config) -> None:
    nowhere = f"postgresql://zoombot:{PASSWORD}@127.0.0.1:{free_port()}/kept"
    (line,) = of(await check_store(at(stored, nowhere)), Level.WRONG)
    assert "is away" in line
    assert line.endswith("does it run, and may this machine reach it?")
    assert PASSWORD not in line


async def test_a_missing_driver_is_said(kept: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("bot.stores.postgresql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    (line,) = of(await check_store(kept), Level.WRONG)
    assert "pip install 'mattermost-zoombot[postgresql]'" in line


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("ignores", [True, False])
async def test_a_pooler_that_loses_settings_is_wrong(kept: Config, mode: str, ignores: bool) -> None:
    await (await open_store(kept.store.url)).close()
    with pgbouncer(kept.store.url, mode, ignores=ignores) as url:
        (line,) = of(await check_store(at(kept, url)), Level.WRONG)
    assert "PgBouncer" in line
    assert "PostgreSQL itself" in line


@pytest.mark.parametrize(("mode", "pooler"), [("transaction", "transactions"), ("session", "sessions")])
async def test_poolers_are_told_apart(kept: Config, mode: str, pooler: str) -> None:
    """Also one that keeps the search path, since the role has it."""
    await execute(
        kept.store.url,
        f"ALTER ROLE zoombot IN DATABASE {urlsplit(kept.store.url).path[1:]} SET search_path = zoombot",
    )
    with pgbouncer(kept.store.url, mode) as url:
        found = await check_store(at(kept, url))
    assert any(f"a pooler of {pooler}" in each for each in of(found, Level.WRONG) + of(found, Level.NOTE))
    assert bool(of(found, Level.WRONG)) is (pooler == "transactions")


SEEN = SeenDatabase(150_004, "", Pooler.NONE, has_store=False, is_owner=True, unsafe=(), connections=97)


@pytest.mark.parametrize(
    ("seen", "query", "level", "said"),
    [
        (replace(SEEN, version=120_018), "", Level.WRONG, "is PostgreSQL 12: zoombot needs 13 or newer"),
        (replace(SEEN, version=180_001), "", Level.NOTE, "is PostgreSQL 18"),
        (SEEN, "", Level.NOTE, "sent unencrypted"),
        (replace(SEEN, tls="TLSv1.3"), "", Level.NOTE, "certificate is not verified"),
        (SEEN, "?sslmode=verify-ca", Level.NOTE, "of the same authority"),
        (replace(SEEN, unsafe=("fsync",)), "", Level.NOTE, "fsync is off"),
        (replace(SEEN, connections=10), "", Level.NOTE, "it takes 10 connections"),
    ],
)
def test_what_cannot_be_made_here_is_judged(seen: SeenDatabase, query: str, level: Level, said: str) -> None:
    address = read_address(f"postgresql://zoombot:{PASSWORD}@db.example.com/zoombot{query}")
    assert any(said in each for each in of(database.judged(address, seen), level))


async def test_the_whole_check_of_a_database_shows_no_password(config: Config) -> None:
    url = new_database().replace("zoombot@", f"zoombot:{PASSWORD}@")
    found = await check(at(config, url))
    assert of(found, Level.WRONG) == []
    assert PASSWORD not in "\n".join(map(str, found))
    assert shown_url(url) == read_address(url).shown
    assert shown_url(f"postgresql://:{PASSWORD}@") == "postgresql://…"
    assert shown_url("tinydb:/x/zoombot.db") == "tinydb:/x/zoombot.db"
