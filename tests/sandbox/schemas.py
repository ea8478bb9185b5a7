"""Zoom's published schemas: they judge what the sandbox answers and sends.

They are found through ``ZOOMBOT_ZOOM_SCHEMAS``, or in ``../shared/data/zoom`` beside the project.
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

PLACES = (Path(__file__).parents[3] / "shared" / "data" / "zoom",)
# A number in an answer that Zoom gives although its description of the call does not list it.
UNLISTED = {
    # A meeting in progress cannot be deleted.
    (400, 3002),
    # Another user's meeting.
    (400, 3000),
}
_checker = jsonschema.FormatChecker(formats=())


def folder() -> Path:
    """Where the schemas are; the test is skipped if they are nowhere."""
    named = os.environ.get("ZOOMBOT_ZOOM_SCHEMAS")
    for place in (Path(named),) if named else PLACES:
        if (place / "openapi.json").is_file():
            return place
    pytest.skip("Zoom's schemas are not here: set ZOOMBOT_ZOOM_SCHEMAS to the folder of openapi.json")


@_checker.checks("date-time", ValueError)
def is_moment(value: object) -> bool:
    """Zoom's times are ISO 8601 in UTC."""
    return not isinstance(value, str) or bool(datetime.fromisoformat(value) and value.endswith("Z"))


@_checker.checks("email")
def is_address(value: object) -> bool:
    return not isinstance(value, str) or "@" in value


class Referee:
    """Judges answers and events. A field that the schema does not name is a fault too."""

    def __init__(self, place: Path) -> None:
        self._api = _load(place / "openapi.json")
        self._events = _load(place / "events.json")["events"]
        self.seen: set[tuple[str, str, int]] = set()
        self.heard: set[str] = set()
        self.faults: list[str] = []

    def operation(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        """The published path and the operation of a request; None if Zoom describes no such call."""
        bare = path.partition("?")[0]
        for template, operations in self._api["paths"].items():
            pattern = re.sub(r"\{\w+\}", "[^/]+", template)
            if re.fullmatch(pattern, bare) and method.lower() in operations:
                return template, operations[method.lower()]
        return None

    def answer(self, method: str, path: str, status: int, body: Any) -> None:
        """Judge the answer to a request; ``path`` is the encoded one under ``/v2``."""
        found = self.operation(method, path)
        where = f"{method} {path} {status}"
        if found is None:
            self.faults.append(f"{where}: Zoom describes no such call")
            return
        template, operation = found
        self.seen.add((method, template, status))
        described = operation["responses"].get(str(status))
        if status == 401:
            schema: Any = {"$ref": "#/components/schemas/Error"}
        elif described is None:
            self.faults.append(f"{where}: Zoom describes no such status")
            return
        else:
            schema = described.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            if body is not None and status == 204:
                self.faults.append(f"{where}: there is a body")
            return
        self._judge(where, self._resolved(schema), body)
        if status >= 400:
            self._code(where, described or {}, status, body)

    def event(self, body: Any) -> None:
        """Judge a webhook's body."""
        name = body["event"]
        self.heard.add(name)
        if name not in self._events:
            self.faults.append(f"{name}: Zoom sends no such event")
            return
        self._judge(name, self._events[name], body)

    def _code(self, where: str, described: dict[str, Any], status: int, body: Any) -> None:
        listed = {(status, each["code"]) for each in described.get("x-zoom-errors", ())}
        common = {(each["status"], each["code"]) for each in self._api["x-common-errors"]}
        if (status, body.get("code")) not in listed | common | UNLISTED:
            self.faults.append(f"{where}: Zoom knows no code {body.get('code')} there")

    def _judge(self, where: str, schema: Any, body: Any) -> None:
        validator = jsonschema.Draft202012Validator(closed(schema), format_checker=_checker)
        self.faults += [
            f"{where} {fault.json_path}: {fault.message}" for fault in validator.iter_errors(body)
        ]

    def _resolved(self, schema: Any) -> Any:
        if "$ref" in schema:
            return self._api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema


def closed(schema: Any) -> Any:
    """The schema with a ban on fields that it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {name: closed(value) for name, value in schema.items()}
    return {"additionalProperties": False} | shut if isinstance(schema.get("properties"), dict) else shut


@cache
def _load(path: Path) -> Any:
    return json.loads(path.read_bytes())
