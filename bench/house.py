"""What the architecture is measured by: ``python -m bench.house``, ``--json`` for the same as JSON.

**Ways.** The real bot runs on the sandbox, in this process, and every call of a function of ``bot`` (without
its sandbox) is looked at: for a mention from the frame that carries it until the post is created, for a
webhook from the POST until the post is edited, for a linking from the opened link until the account is
stored. A call counts when an argument (``self`` apart) is the request or what became of it: the aiohttp
request, a text or bytes with its unique word in it, a meeting's props, one of the kinds listed below, or a
``Put``, list, tuple or partial that holds one. Constructors, properties and comprehensions do not count, so
modules that only hold values drop out by themselves. The called modules in order, repetitions in a row taken
once, are the way. *Modules* is how many different ones it has; *turns* is how often it comes back to one that
it has left. Each module of an adapter (``bot.mattermost``, ``bot.zoom``, ``bot.stores``) counts; the figures
in brackets take an adapter as one module. Only the event loop's thread is looked at, so the figures are the
same in every run.

Of several definitions this one came closest to a count by hand of the version before the rebuilding, 35
modules and 31 turns for a mention: it finds 26 and 35 there.

**Places.** The files in which a command's name stands as a whole string, or after a backtick in a text. Where
a name is also another word (``webinar`` is a kind of meeting), the number is too high.

**Sizes** and **arrows** are read from the source; ``tests/test_house.py`` says which imports run upwards.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import functools
import importlib
import inspect
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from aiohttp import web

from tests.conftest import World, world_of
from tests.features.kit import connect, settle

BOT = Path(__file__).parent.parent / "bot"
ADAPTERS = ("bot.mattermost", "bot.zoom", "bot.stores")
RESUMABLE = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
OF_CHANNELS = ("channel", "subscribe", "unsubscribe", "subscriptions")
COMMANDS = ("start", "connect", "disconnect", "help", "end", "settings", "join", "webinar", *OF_CHANNELS)

# Kinds by the names of their classes, before and after the rebuilding.
SHOWN = frozenset({"Item", "Job", "Meeting", "Announcement", "Card"})
OF_MENTION = SHOWN | {"Posted", "Message", "Event", "Command", "Request", "MeetingInfo", "Draft"}
OF_WEBHOOK = SHOWN | {"Webhook", "MeetingObject", "Started"}
OF_LINKING = frozenset({"Ticket", "Grant", "ZoomUser", "Link", "LinkedAccount"})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Journey:
    """How a request is recognized on its way. It ends in the package ``goal``, at a function of one of the
    names in ``last``, or where a kind of these names is handed in."""

    kinds: frozenset[str]
    word: str
    goal: str
    last: frozenset[str]
    paths: tuple[str, ...] = ()

    def found_in(self, value: object, depth: int = 2) -> Iterator[str]:
        """The kinds of this request that an argument is or holds."""
        kind = type(value)
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        if isinstance(value, str) and self.word in value:
            yield "text"
        elif isinstance(value, web.BaseRequest) and value.path in self.paths:
            yield "http"
        elif isinstance(value, dict) and "meeting_id" in value:
            yield "props"
        elif kind.__module__.startswith("bot.") and kind.__name__ in self.kinds:
            yield kind.__name__
        elif depth:
            for each in _held(value):
                yield from self.found_in(each, depth - 1)


def _held(value: object) -> Iterable[object]:
    if type(value).__name__ == "Put":
        return (getattr(value, "record", None),)
    held = value.args if isinstance(value, functools.partial) else value
    return held if isinstance(held, list | tuple) else ()


@dataclass
class Tracer:
    """A profile function that notes the modules to which the request is handed."""

    journey: Journey
    visits: list[str] = field(default_factory=list)
    arrived: bool = False
    _resumable: set[FrameType] = field(default_factory=set)

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Called by the interpreter at each call and return."""
        module = frame.f_globals.get("__name__", "")
        if event != "call" or self.arrived or not module.startswith("bot.") or _is_in(module, "bot.sandbox"):
            return
        if self._is_resumed(frame) or not _counts(frame):
            return
        given = {kind for value in _arguments(frame) for kind in self.journey.found_in(value)}
        if given:
            self.visits.append(module)
            ends = {frame.f_code.co_name, *given} & self.journey.last
            self.arrived = bool(ends) and _is_in(module, self.journey.goal)

    def _is_resumed(self, frame: FrameType) -> bool:
        """Whether this coroutine or generator was called before and only goes on."""
        known = frame in self._resumable
        if frame.f_code.co_flags & RESUMABLE:
            self._resumable.add(frame)
        return known


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def _counts(frame: FrameType) -> bool:
    name = frame.f_code.co_name
    if name.startswith("__") or (name.startswith("<") and name != "<lambda>"):
        return False
    owner = type(frame.f_locals.get("self"))
    return not isinstance(getattr(owner, name, None), property)


def _arguments(frame: FrameType) -> list[object]:
    code, values = frame.f_code, frame.f_locals
    stars = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + stars]
    return [values[name] for name in names if name != "self" and name in values]


def way_of(visits: Iterable[str], *, whole_adapters: bool = False) -> list[str]:
    """The modules in order, repetitions in a row taken once."""
    way: list[str] = []
    for module in visits:
        adapter = next((each for each in ADAPTERS if whole_adapters and _is_in(module, each)), module)
        if way[-1:] != [adapter]:
            way.append(adapter)
    return way


def figures(way: list[str]) -> Json:
    """How many modules a way has, and how often it comes back to one that it has left."""
    return {"modules": len(set(way)), "turns": len(way) - len(set(way))}


async def traced(journey: Journey, act: Callable[[], Awaitable[object]]) -> list[str]:
    """The modules to which a request is handed while ``act`` runs."""
    tracer, before = Tracer(journey), sys.getprofile()
    sys.setprofile(tracer)
    try:
        await act()
    finally:
        sys.setprofile(before)
    if not tracer.arrived:
        raise RuntimeError(f"the request did not come to {journey.goal}: {way_of(tracer.visits)}")
    return tracer.visits


async def mention(world: World) -> list[str]:
    """A meeting is asked for by name, and announced."""
    journey = Journey(OF_MENTION, "marked", "bot.mattermost", frozenset({"create_post"}))
    return await traced(journey, lambda: world.ask("alice", "dev", "@zoom marked"))


async def webhook(world: World) -> list[str]:
    """Zoom says that a meeting has begun, and its post shows it."""
    post, meeting = await world.meeting()
    await settle(world)
    about = {"id": str(meeting.id), "uuid": meeting.uuid, "topic": meeting.topic, "type": 1}

    async def deliver() -> None:
        await world.zoom.deliver("meeting.started", {"account_id": "x", "object": about})
        await world.shows(post, lambda now: now.props["meeting_status"] == "STARTED")

    last, paths = frozenset({"update_post"}), ("/webhook",)
    return await traced(Journey(OF_WEBHOOK, "meeting.started", "bot.mattermost", last, paths), deliver)


async def linking(world: World) -> list[str]:
    """A person follows the link that they were sent, and confirms."""
    told = await world.ask("carol", world.direct("carol"), "connect")
    await settle(world)
    word = re.findall(r"state=([\w-]+)", told.message)[0]
    last, paths = frozenset({"Link", "LinkedAccount"}), ("/oauth2/connect", "/oauth2/complete")
    journey = Journey(OF_LINKING, word, "bot.stores", last, paths)
    return await traced(journey, lambda: connect(world, "carol", told.message))


async def walked(kind: Callable[[World], Awaitable[list[str]]]) -> Json:
    """The figures of one kind of request, on a bot of its own."""
    with tempfile.TemporaryDirectory(prefix="zoombot-bench-") as folder:
        async with world_of(Path(folder)) as world:
            await world.start()
            await world.link("alice")
            await settle(world)
            visits = await kind(world)
    way = way_of(visits)
    return {**figures(way), "whole_adapters": figures(way_of(visits, whole_adapters=True)), "way": way}


def sources() -> dict[str, ast.Module]:
    """The bot's files without the sandbox, by their path."""
    paths = (path for path in sorted(BOT.rglob("*.py")) if "sandbox" not in path.parts)
    return {str(path.relative_to(BOT.parent)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def texts_of(tree: ast.Module) -> list[str]:
    """Every string in a file but those that stand alone: docstrings are not shown to anybody."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in alone)
    return [node.value for node in strings if isinstance(node.value, str)]


def places_of(command: str, texts: dict[str, list[str]]) -> list[str]:
    """The files that have to do with a command's name."""
    usage = re.compile(rf"`{command}\b")
    return [path for path, found in texts.items() if any(t == command or usage.search(t) for t in found)]


def sizes(trees: dict[str, ast.Module]) -> Json:
    """How large functions and modules are."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = (node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, kinds))
    functions = [(node.end_lineno or node.lineno) - node.lineno + 1 for node in nodes]
    lines = [len((BOT.parent / path).read_text(encoding="utf-8").splitlines()) for path in trees]
    return {
        "function_median": statistics.median(functions),
        "function_max": max(functions),
        "modules_over_300": sum(each > 300 for each in lines),
        "modules": len(lines),
    }


def arrows() -> int | None:
    """How many imports run upwards; None where nothing says what is up."""
    try:
        house: Any = importlib.import_module("tests.test_house")
        floors = {name: house.floor_of(name) for name in house.modules() if not _is_in(name, "bot.sandbox")}
    except (ImportError, AttributeError):
        return None
    imports = {name: house.modules()[name].imports for name in floors}
    return sum(bool(floors.get(other, 0) > floors[name]) for name in floors for other in imports[name])


def measure() -> Json:
    """All figures."""
    trees = sources()
    texts = {path: texts_of(tree) for path, tree in trees.items()}
    texts |= {
        str(path.relative_to(BOT.parent)): path.read_text("utf-8").splitlines() for path in BOT.rglob("*.ftl")
    }
    places = {command: places_of(command, texts) for command in COMMANDS}
    return {
        "ways": {kind.__name__: asyncio.run(walked(kind)) for kind in (mention, webhook, linking)},
        "places": {name: len(found) for name, found in places.items()},
        "join": places["join"],
        "sizes": sizes(trees),
        "arrows_upwards": arrows(),
    }


def table(found: Json) -> Iterator[str]:
    """The figures for people."""
    for name, way in found["ways"].items():
        short = way["whole_adapters"]
        more = f"({short['modules']}, {short['turns']})"
        yield f"{name:<18} {way['modules']} modules, {way['turns']} turns {more}"
    most = max(found["places"].items(), key=lambda item: int(item[1]))
    yield f"{'places, at most':<18} {most[1]} ({most[0]})"
    yield f"{'places of join':<18} {len(found['join'])}: {', '.join(found['join'])}"
    for name, value in (found["sizes"] | {"arrows_upwards": found["arrows_upwards"]}).items():
        yield f"{name.replace('_', ' '):<18} {'not known' if value is None else value}"


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.house", description="Measure the architecture.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    as_json, found = parser.parse_args().json, measure()
    sys.stdout.write((json.dumps(found, indent=2) if as_json else "\n".join(table(found))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
