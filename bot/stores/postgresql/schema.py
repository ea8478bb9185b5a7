"""The tables and functions in the database, in a schema of their own, and how they are made.

``documents`` has a row for each document; ``key`` is its id as bytes, since a text cannot hold every id.
``entries`` has a row for each indexed field of a document. ``commits`` remembers for an hour which commits
were made, so that one whose answer was lost is not made twice. ``replicas`` and ``claims`` say who does what:
see :mod:`bot.stores.postgresql.claims`.
"""

from __future__ import annotations

import hashlib
from typing import Any

from bot.domain.upkeep import SCHEMA_VERSION
from bot.errors import StoreError
from bot.stores.indexes import Index, Indexes
from bot.stores.postgresql.rows import entries_of

# The number of the newest layout of tables and functions.
LAYOUT = 1
# How many groups the queues are divided into; group 0 is the leader's.
GROUPS = 33
# Held while the tables are made or changed.
MIGRATING = 7_803_247_001
# A commit of many documents holds this alone, every other commit holds it shared.
COMMITS = 7_803_247_002
# With a replica's number: held shared by each of its commits, and alone by whoever takes its work over.
FENCE = 780_324
# How long a step of making the tables may take, and waiting for another replica that makes them (s).
LONG_S = 600.0

_ABOUT = "SELECT layout, version, indexes FROM zoombot.about"
_TABLES = """
CREATE SCHEMA IF NOT EXISTS zoombot;

CREATE TABLE IF NOT EXISTS zoombot.about (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    layout integer NOT NULL,
    -- The newest program that opened the store for writing, and what its indexes are.
    version integer NOT NULL,
    indexes text NOT NULL
);

CREATE TABLE IF NOT EXISTS zoombot.indexed (kind text PRIMARY KEY, fields text NOT NULL);

CREATE TABLE IF NOT EXISTS zoombot.documents (
    kind text NOT NULL, key bytea NOT NULL, body bytea NOT NULL, entries bytea[] NOT NULL,
    PRIMARY KEY (kind, key)
) WITH (fillfactor = 80);

CREATE TABLE IF NOT EXISTS zoombot.entries (
    kind text NOT NULL, entry bytea NOT NULL, key bytea NOT NULL,
    PRIMARY KEY (kind, entry, key)
);

CREATE TABLE IF NOT EXISTS zoombot.commits (
    id uuid PRIMARY KEY, skipped integer[] NOT NULL, made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS commits_made_at ON zoombot.commits (made_at);

CREATE TABLE IF NOT EXISTS zoombot.replicas (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL, beats bigint NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS zoombot.claims (
    grouping integer PRIMARY KEY, owner integer REFERENCES zoombot.replicas ON DELETE SET NULL,
    -- Whether its last owner was removed by others.
    lost boolean NOT NULL DEFAULT false
);
INSERT INTO zoombot.claims SELECT number, NULL, false FROM generate_series(0, :last) number
ON CONFLICT DO NOTHING;
"""

_FUNCTIONS = """
-- Takes the locks of a commit, in one order for all, and refuses a replica or a program whose time is over.
-- replica 0 is one that claims nothing.
CREATE OR REPLACE FUNCTION zoombot.enter(
    _replica integer, _version integer, _indexes text, _locks bigint[], _alone boolean
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _each bigint;
BEGIN
    IF _replica > 0 THEN
        PERFORM pg_advisory_xact_lock_shared(:fence, _replica);
        PERFORM FROM zoombot.replicas WHERE number = _replica;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'fenced' USING ERRCODE = 'ZB001';
        END IF;
    END IF;
    IF _alone THEN
        PERFORM pg_advisory_xact_lock(:commits);
    ELSE
        PERFORM pg_advisory_xact_lock_shared(:commits);
        FOREACH _each IN ARRAY _locks LOOP
            PERFORM pg_advisory_xact_lock(_each);
        END LOOP;
    END IF;
    PERFORM FROM zoombot.about WHERE version = _version AND indexes = _indexes;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'outdated' USING ERRCODE = 'ZB002';
    END IF;
END $$;

-- The documents as they are, once no other commit can change them.
CREATE OR REPLACE FUNCTION zoombot.take(
    _replica integer, _version integer, _indexes text, _locks bigint[], _alone boolean,
    _kinds text[], _keys bytea[]
) RETURNS TABLE (kind text, key bytea, body bytea) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM zoombot.enter(_replica, _version, _indexes, _locks, _alone);
    RETURN QUERY
        SELECT d.kind, d.key, d.body
        FROM unnest(_kinds, _keys) AS wanted (kind, key)
        JOIN zoombot.documents d ON d.kind = wanted.kind AND d.key = wanted.key;
END $$;

-- Writes rows: a body that is NULL removes the document; an insert is skipped if the key is taken. If the
-- first row is skipped and guards the others, nothing is written. Returns the numbers of the skipped rows,
-- from 1 on.
CREATE OR REPLACE FUNCTION zoombot.write(
    _commit uuid, _kinds text[], _keys bytea[], _bodies bytea[], _inserts boolean[], _guards boolean,
    _at integer[], _entries bytea[]
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
    _skipped integer[];
BEGIN
    SELECT made.skipped INTO _skipped FROM zoombot.commits made WHERE made.id = _commit;
    IF FOUND THEN
        RETURN _skipped;
    END IF;
    SELECT coalesce(array_agg(w.number::integer), ARRAY[]::integer[]) INTO _skipped
        FROM unnest(_kinds, _keys, _inserts) WITH ORDINALITY AS w (kind, key, is_insert, number)
        JOIN zoombot.documents d ON d.kind = w.kind AND d.key = w.key
        WHERE w.is_insert;
    IF _guards AND 1 = ANY (_skipped) THEN
        RETURN _skipped;
    END IF;
    INSERT INTO zoombot.commits VALUES (_commit, _skipped);
    DELETE FROM zoombot.entries e
        USING (
            SELECT d.kind, d.key, unnest(d.entries) AS entry
            FROM unnest(_kinds, _keys) WITH ORDINALITY AS w (kind, key, number)
            JOIN zoombot.documents d ON d.kind = w.kind AND d.key = w.key
            WHERE w.number <> ALL (_skipped)
            EXCEPT
            SELECT _kinds[x.at], _keys[x.at], x.entry FROM unnest(_at, _entries) AS x (at, entry)
        ) AS gone
        WHERE e.kind = gone.kind AND e.entry = gone.entry AND e.key = gone.key;
    INSERT INTO zoombot.entries
        SELECT _kinds[x.at], x.entry, _keys[x.at]
        FROM unnest(_at, _entries) AS x (at, entry)
        WHERE x.at <> ALL (_skipped)
        ON CONFLICT DO NOTHING;
    INSERT INTO zoombot.documents
        SELECT w.kind, w.key, w.body, coalesce(x.entries, ARRAY[]::bytea[])
        FROM unnest(_kinds, _keys, _bodies) WITH ORDINALITY AS w (kind, key, body, number)
        LEFT JOIN (
            SELECT at, array_agg(entry) AS entries FROM unnest(_at, _entries) AS y (at, entry) GROUP BY at
        ) AS x ON x.at = w.number
        WHERE w.body IS NOT NULL AND w.number <> ALL (_skipped)
        ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body, entries = excluded.entries;
    DELETE FROM zoombot.documents d
        USING unnest(_kinds, _keys, _bodies) AS w (kind, key, body)
        WHERE w.body IS NULL AND d.kind = w.kind AND d.key = w.key;
    RETURN _skipped;
END $$;

-- Both in one call, for a commit that does not depend on what is there.
CREATE OR REPLACE FUNCTION zoombot.commit(
    _replica integer, _version integer, _indexes text, _locks bigint[], _alone boolean,
    _commit uuid, _kinds text[], _keys bytea[], _bodies bytea[], _inserts boolean[], _guards boolean,
    _at integer[], _entries bytea[]
) RETURNS integer[] LANGUAGE plpgsql AS $$
BEGIN
    PERFORM zoombot.enter(_replica, _version, _indexes, _locks, _alone);
    RETURN zoombot.write(_commit, _kinds, _keys, _bodies, _inserts, _guards, _at, _entries);
END $$;
"""


def fingerprint(indexes: Indexes) -> str:
    """What tells programs with other indexes apart."""
    text = "\n\n".join(f"{kind}\n{index.text}" for kind, index in sorted(indexes.items()))
    return hashlib.sha256(text.encode()).hexdigest()


async def prepare(connection: Any, indexes: Indexes, name: str) -> None:
    """Make or renew the tables where that is needed, once, whoever comes first.

    Raises :class:`StoreError` if a later program made them.
    """
    if await _is_current(connection, indexes, name):
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.fetch("SELECT pg_advisory_xact_lock($1)", MIGRATING, timeout=LONG_S)
        if await _is_current(connection, indexes, name):
            return
        # No commit runs meanwhile.
        await connection.fetch("SELECT pg_advisory_xact_lock($1)", COMMITS, timeout=LONG_S)
        await connection.execute(_filled(_TABLES), timeout=LONG_S)
        await connection.execute(_filled(_FUNCTIONS), timeout=LONG_S)
        await _index_anew(connection, indexes)
        await connection.execute(
            "INSERT INTO zoombot.about (layout, version, indexes) VALUES ($1, $2, $3) "
            "ON CONFLICT (only_row) DO UPDATE SET layout = $1, version = $2, indexes = $3",
            LAYOUT,
            SCHEMA_VERSION,
            fingerprint(indexes),
        )


async def is_there(connection: Any) -> bool:
    """Whether there is a store in the database."""
    return bool(await connection.fetchval("SELECT to_regclass('zoombot.about') IS NOT NULL"))


async def is_current(connection: Any, indexes: Indexes) -> bool:
    """Whether the newest program that has opened the store keeps it as this one does."""
    about = await connection.fetchrow(_ABOUT)
    return about is not None and tuple(about) == (LAYOUT, SCHEMA_VERSION, fingerprint(indexes))


async def _is_current(connection: Any, indexes: Indexes, name: str) -> bool:
    if not await is_there(connection):
        return False
    about = await connection.fetchrow(_ABOUT)
    if about is None:
        return False
    if about["layout"] > LAYOUT or about["version"] > SCHEMA_VERSION:
        raise StoreError(f"the store {name} was written by a later zoombot: install that version again")
    return await is_current(connection, indexes)


async def _index_anew(connection: Any, indexes: Indexes) -> None:
    """Make those indexes anew whose fields have become others."""
    known = dict(await connection.fetch("SELECT kind, fields FROM zoombot.indexed"))
    for kind, index in indexes.items():
        if known.get(kind, "") != index.text:
            await _index_kind(connection, kind, index)
            await connection.execute(
                "INSERT INTO zoombot.indexed VALUES ($1, $2) ON CONFLICT (kind) DO UPDATE SET fields = $2",
                kind,
                index.text,
            )


async def _index_kind(connection: Any, kind: str, index: Index) -> None:
    await connection.execute("DELETE FROM zoombot.entries WHERE kind = $1", kind, timeout=LONG_S)
    after = b""
    page = "SELECT key, body FROM zoombot.documents WHERE kind = $1 AND key >= $2 ORDER BY key LIMIT 1000"
    while rows := await connection.fetch(page, kind, after, timeout=LONG_S):
        keys = [row["key"] for row in rows]
        entries = [entries_of(index, row["body"]) for row in rows]
        await connection.executemany(
            "UPDATE zoombot.documents SET entries = $3 WHERE kind = $1 AND key = $2",
            [(kind, key, some) for key, some in zip(keys, entries, strict=True)],
        )
        await connection.executemany(
            "INSERT INTO zoombot.entries VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            [(kind, entry, key) for key, some in zip(keys, entries, strict=True) for entry in some],
        )
        after = keys[-1] + b"\0"


def _filled(sql: str) -> str:
    """A part of the layout with the program's numbers."""
    for name, number in (("last", GROUPS - 1), ("fence", FENCE), ("commits", COMMITS)):
        sql = sql.replace(f":{name}", str(number))
    return sql
