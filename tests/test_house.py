"""The house holds: imports run downwards only, modules and functions stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BOT = ROOT / "bot"

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 50

# From the bottom to the top. A name stands for the module and everything below it; the longest name
# that fits counts. A module imports from its own floor and the floors under it.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("bot", "bot.errors", "bot.clock", "bot.log", "bot.tls", "bot.retrying", "bot.http_client", "bot.hosts"),
    ("bot.domain", "bot.config"),
    ("bot.messages",),
    ("bot.mattermost", "bot.zoom", "bot.stores", "bot.vault"),
    ("bot.core",),
    ("bot.features",),
    ("bot.web", "bot.setup"),
    ("bot.runtime",),
    ("bot.demo",),
    ("bot.cli", "bot.__main__"),
)

# Who alone may import what.
DOORS: dict[str, tuple[str, ...]] = {
    "mattermostdriver": ("bot.mattermost.driver",),
    "requests_oauthlib": ("bot.zoom",),
    "oauthlib": ("bot.zoom",),
    "requests": ("bot.zoom",),
    "tinydb": ("bot.stores",),
    "sqlite3": ("bot.stores",),
    "cryptography": ("bot.vault",),
    "click": ("bot.cli", "bot.__main__"),
    "bot.sandbox": ("bot.sandbox", "bot.cli", "bot.__main__"),
}

# Neighbours on one floor that know nothing of each other.
STRANGERS = (("bot.mattermost", "bot.zoom"), ("bot.stores", "bot.zoom"), ("bot.stores", "bot.mattermost"))

# Modules of the standard library and of others that touch the world: nothing of the pure floor.
IMPURE = frozenset(
    {"aiohttp", "asyncio", "socket", "sqlite3", "requests", "subprocess", "threading", "random"}
)
PURE = (
    "bot.domain",
    "bot.messages",
    "bot.errors",
    "bot.config",
    "bot.mattermost.events",
    "bot.zoom.webhooks",
    "bot.zoom.artifacts",
)

HEAVY = ("aiohttp", "asyncio", "cryptography", "mattermostdriver", "msgspec", "requests", "tinydb", "ssl")


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the project: its dotted name, its tree, and the names that it imports."""

    name: str
    path: Path
    lines: int
    tree: ast.Module
    imports: frozenset[str]


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Module]:
    paths = sorted(BOT.rglob("*.py"))
    known = {name_of(path) for path in paths}
    found = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        imports = frozenset(imported(tree, known))
        found[name_of(path)] = Module(name_of(path), path, len(text.splitlines()), tree, imports)
    return found


def imported(tree: ast.Module, known: set[str]) -> Iterator[str]:
    """What a module imports anywhere in it, `from package import module` as the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            base = node.module or ""
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if whole in known else base


def floor_of(name: str) -> int | None:
    """The floor that a module lives on, None for the sandbox, which stands beside the house."""
    if is_in(name, "bot.sandbox"):
        return None
    fitting = [
        (len(package), floor)
        for floor, packages in enumerate(FLOORS)
        for package in packages
        if is_in(name, package) and (package != "bot" or name == "bot")
    ]
    assert fitting, f"{name} has no floor: give it one in FLOORS"
    return max(fitting)[1]


def test_every_module_has_a_floor() -> None:
    assert len(modules()) > 10
    for name in modules():
        floor_of(name)


def test_every_name_of_the_house_is_a_module() -> None:
    named = {
        *(name for floor in FLOORS for name in floor),
        *(home for homes in DOORS.values() for home in homes),
    }
    named |= {*PURE, *(name for pair in STRANGERS for name in pair)}
    assert named - set(modules()) == set()


def test_imports_run_downwards_only() -> None:
    upwards = []
    for module in modules().values():
        floor = floor_of(module.name)
        for other in module.imports:
            if floor is None or not is_in(other, "bot") or is_in(other, "bot.sandbox"):
                continue
            above = floor_of(other)
            if above is not None and above > floor:
                upwards.append(f"{module.name} imports {other}, which is above it")
    assert upwards == []


def test_no_two_modules_import_each_other() -> None:
    graph = {
        name: {each for each in module.imports if each in modules()} for name, module in modules().items()
    }
    done: set[str] = set()
    rings: list[str] = []

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            rings.append(" -> ".join((*way[way.index(name) :], name)))
        elif name not in done:
            for other in sorted(graph[name]):
                # A package names what is inside it, and that may name its neighbours there.
                if not is_in(name, other):
                    visit(other, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())
    assert rings == []


@pytest.mark.parametrize("package", sorted(DOORS))
def test_a_package_is_imported_only_where_it_is_at_home(package: str) -> None:
    strays = [
        module.name
        for module in modules().values()
        if any(is_in(other, package) for other in module.imports)
        and not any(is_in(module.name, home) for home in DOORS[package])
        and not (is_in(module.name, "bot.sandbox") and package in ("cryptography", "click"))
    ]
    assert strays == []


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_neighbours_that_must_not_know_each_other_do_not(one: str, other: str) -> None:
    for here, there in ((one, other), (other, one)):
        known = [
            f"{module.name} imports {name}"
            for module in modules().values()
            if is_in(module.name, here)
            for name in module.imports
            # The store's interface belongs to nobody; what it is made with does.
            if is_in(name, there) and name != "bot.stores"
        ]
        assert known == []


def test_the_sandbox_stands_alone() -> None:
    leaning = [
        f"{module.name} imports {other}"
        for module in modules().values()
        if is_in(module.name, "bot.sandbox")
        for other in module.imports
        if is_in(other, "bot") and not is_in(other, "bot.sandbox")
    ]
    assert leaning == []


def test_what_is_pure_touches_nothing() -> None:
    touching = [
        f"{module.name} imports {other}"
        for module in modules().values()
        if any(is_in(module.name, pure) for pure in PURE)
        for other in module.imports
        if other.split(".")[0] in IMPURE
    ]
    assert touching == []


def test_only_the_clock_reads_the_time() -> None:
    readers = []
    for module in modules().values():
        if module.name == "bot.clock" or is_in(module.name, "bot.sandbox"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in (
                "time.time",
                "time.time_ns",
                "datetime.now",
                "datetime.utcnow",
                "datetime.datetime.now",
            ):
                readers.append(f"{module.name}:{node.lineno}")
            elif isinstance(node, ast.ImportFrom) and node.module == "time":
                readers += [
                    f"{module.name}:{node.lineno}" for alias in node.names if alias.name.startswith("time")
                ]
    assert readers == []


def test_modules_stay_small() -> None:
    large = [f"{each.name}: {each.lines}" for each in modules().values() if each.lines > MAX_MODULE_LINES]
    assert large == []


def test_functions_stay_small() -> None:
    large = []
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    large.append(f"{module.name}.{node.name}: {lines}")
    assert large == []


def test_every_module_and_public_class_says_what_it_is() -> None:
    silent = []
    for module in modules().values():
        if module.tree.body and not ast.get_docstring(module.tree):
            silent.append(module.name)
        silent += [
            f"{module.name}.{node.name}"
            for node in module.tree.body
            if isinstance(node, ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
    assert silent == []


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["run", "--help"], ["demo", "--help"]])
def test_the_command_line_answers_without_the_heavy_imports(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from bot.__main__ import main\n"
        f"sys.argv = ['zoombot', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr.strip() == "[]"
