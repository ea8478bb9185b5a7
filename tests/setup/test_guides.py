"""What the guides say is what the bot does and says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.clock import now_ms
from bot.config.model import KEYS_BY_SECTION
from bot.features import collect
from bot.setup.findings import Level
from bot.setup.scopes import SCOPES, lacking
from bot.setup.zoom import granted
from bot.zoom import Grant
from tests.sandbox.schemas import folder

ROOT = Path(__file__).parent.parent.parent
GUIDE = (ROOT / "docs" / "zoom-setup.md").read_text(encoding="utf-8")


def test_every_event_that_is_subscribed_is_handled() -> None:
    events = set(re.findall(r"`((?:meeting|recording|webinar)\.\w+|app_deauthorized)`", GUIDE))
    assert events == set(collect().webhooks)


def test_what_the_guide_lets_one_see_is_what_the_bot_says() -> None:
    said = " ".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "bot").rglob("*")
        if path.suffix in (".py", ".ftl")
    )
    _, _, table = GUIDE.partition("| What you see |")
    quoted = re.findall(r"\*([^*|]+)\*", "".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE)))
    assert len(quoted) > 5
    for text in quoted:
        # The one word that is Zoom's.
        assert text in said or text == "Validate", text


def test_the_guide_names_the_scopes_that_are_looked_for() -> None:
    rows = re.findall(r"^\| (.+?) \| (`\w+:.+?`) \| (`.+?`) \|$", GUIDE, re.MULTILINE)
    told = [
        (feature, *(", ".join(re.findall(r"`(.+?)`", cell)) for cell in cells)) for feature, *cells in rows
    ]
    assert told == [
        (
            scope.feature + (" (required)" if scope.required else ""),
            ", ".join(scope.granular.split()),
            ", ".join(scope.classic.split()),
        )
        for scope in SCOPES
    ]


@pytest.mark.parametrize("name", ["scaling.md", "running.md"])
def test_what_a_guide_names_is_there(name: str) -> None:
    """Keys of the configuration, files, and places in other guides."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    keys = {key.dotted for keys in KEYS_BY_SECTION.values() for key in keys.values()}
    for section, key in re.findall(r"`([a-z]+)\.([a-z_]+)`", text):
        if section in KEYS_BY_SECTION and key != "us":
            assert f"{section}.{key}" in keys
    for link in re.findall(r"\]\(([^)]+)\)", text):
        target, _, place = link.partition("#")
        there = (ROOT / "docs" / (target or name)).read_text(encoding="utf-8")
        titles = re.findall(r"^#+ (.+)$", there, re.MULTILINE)
        assert not place or place in [
            re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in titles
        ]


def schema(name: str) -> Any:
    """Zoom's published schema of this name; the test is skipped where the schemas are missing."""
    return json.loads((folder() / name).read_text(encoding="utf-8"))


def scopes_in(value: Any) -> Iterator[str]:
    """Every scope in a schema."""
    if isinstance(value, dict):
        named = value.get("x-scopes")
        if isinstance(named, dict):
            yield from (name for kind in ("granular", "classic") for name in named.get(kind, ()))
        for below in value.values():
            yield from scopes_in(below)
    elif isinstance(value, list):
        for below in value:
            yield from scopes_in(below)


def test_scopes_are_named_as_zoom_names_them() -> None:
    known = {*scopes_in(schema("openapi.json")), *scopes_in(schema("events.json"))}
    for scope in SCOPES:
        for name in f"{scope.granular} {scope.classic}".split():
            assert name in known, scope.feature
    assert "meeting_summary:read" in {scope.classic for scope in SCOPES}


def test_the_scopes_of_the_events_that_are_handled_are_looked_for() -> None:
    looked_for = {name for scope in SCOPES for name in scope.granular.split()}
    for event, about in schema("events.json")["events"].items():
        needed = set(scopes_in(about))
        if event in collect().webhooks and needed:
            assert needed & looked_for, event


def test_classic_scopes_do_as_well() -> None:
    classic = " ".join(f"{name}:admin" for scope in SCOPES for name in scope.classic.split())
    assert not [*lacking(classic, required=True), *lacking(classic, required=False)]


def test_each_scope_that_is_missing_is_named_with_what_needs_it() -> None:
    given = {f"{name}:admin" for scope in SCOPES for name in scope.granular.split()}
    for missing, level in (
        ("meeting:read:list_meetings", Level.WRONG),
        ("meeting:update:status", Level.NOTE),
    ):
        grant = Grant("token", "", now_ms(), " ".join(given - {f"{missing}:admin"}))
        _, found = granted("zoom", grant)
        assert found.level is level
        assert f"{missing}:admin" in found.text
    _, found = granted("zoom", Grant("token", "", now_ms(), " ".join(given)))
    assert found.level is Level.OK
