"""What is declared at a function is all that the rest of the bot knows of it."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Command, Hook, Where, answer, command, hook, webhook
from bot.core.registry import Registry
from bot.domain.grammar import NOTHING, TOPIC, ParsedCommand, Request, words
from bot.domain.records import Notice, Question
from bot.errors import ZoomError, ZoomUnreachableError
from bot.features import collect
from bot.messages.catalogue import catalogue
from bot.messages.content import text
from bot.stores import Put
from bot.zoom.webhooks import Webhook

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"


def said(text: str) -> Put:
    return Put(Notice(id=text, sealed_body="", created_at=1))


CTX = cast(Context, SimpleNamespace(failure=lambda job, request: said("sorry")))


def ids(changes: Changes) -> list[str]:
    return [change.record.id for change in changes if isinstance(change, Put)]


def request(name: str, argument: str = "") -> Request:
    return Request(command=name, argument=argument, user_id="u", channel_id="c")


def module_of(*functions: Any) -> ModuleType:
    """A module that holds these functions, as a feature does."""
    module = ModuleType("feature")
    for function in functions:
        function.__module__ = module.__name__
        setattr(module, function.__name__, function)
    return module


def test_a_module_of_features_is_collected_without_being_listed() -> None:
    names = {each.name for each in collect().commands.values()}
    assert {"start", "join", "end", "version", "help"} <= names
    # Each registry is its own: what one adds is not in the next.
    collect().commands.clear()
    assert "start" in collect().commands


def test_the_grammar_follows_from_the_declarations() -> None:
    @command("greet", takes=words("", "loudly"))
    async def greet(ctx: Context, job: Job, request: Request) -> Changes:
        return []

    @command("hidden", takes=None)
    async def hidden(ctx: Context, job: Job, request: Request) -> Changes:
        return []

    @answer("mood", "fine", "bad")
    async def mood(ctx: Context, job: Job, request: Request, question: Question) -> Changes:
        return []

    grammar = Registry.collect([module_of(greet, hidden, mood)]).grammar
    assert grammar.parse_words("greet LOUDLY") == ParsedCommand("greet", "LOUDLY")
    assert grammar.parse_words("greet me") == ParsedCommand("usage", "greet me")
    assert grammar.parse_words("hidden") == ParsedCommand("start", "hidden")
    direct = grammar.parse_message("Fine", bot_name="zoom", direct=True)
    assert direct == ParsedCommand("answer", "fine")


def test_two_declarations_of_one_name_are_a_fault() -> None:
    async def act(ctx: Context, job: Job, request: Request) -> Changes:
        return []

    registry = Registry()
    registry.add(Command("same", act, takes=NOTHING))
    with pytest.raises(ValueError, match="same is declared twice"):
        registry.add(Command("same", act, takes=NOTHING))


async def test_the_first_gate_that_answers_ends_the_request() -> None:
    passed: list[str] = []

    async def open_gate(ctx: Context, job: Job, request: Request) -> Changes | None:
        passed.append("open")
        return None

    async def shut_gate(ctx: Context, job: Job, request: Request) -> Changes | None:
        return None if request.argument == "let me in" else [said("refused")]

    async def act(ctx: Context, job: Job, request: Request) -> Changes:
        return [said("done")]

    registry = Registry()
    registry.add(Command("try", act, takes=TOPIC, gates=(open_gate, shut_gate)))
    assert ids(await registry.respond(CTX, Job("1"), request("try"))) == ["refused"]
    assert ids(await registry.respond(CTX, Job("2"), request("try", "let me in"))) == ["done"]
    assert passed == ["open", "open"]


async def test_a_command_for_the_channel_is_placed_first() -> None:
    @hook(Hook.PLACEMENT)
    async def nowhere(ctx: Context, job: Job, request: Request) -> Changes | None:
        return [said("not here")]

    @command("post", takes=NOTHING, where=Where.CHANNEL)
    async def post(ctx: Context, job: Job, request: Request) -> Changes:
        return [said("posted")]

    @command("tell", takes=NOTHING)
    async def tell(ctx: Context, job: Job, request: Request) -> Changes:
        return [said("told")]

    registry = Registry.collect([module_of(nowhere, post, tell)])
    assert ids(await registry.respond(CTX, Job("1"), request("post"))) == ["not here"]
    assert ids(await registry.respond(CTX, Job("2"), request("tell"))) == ["told"]


def registry_that_creates(error: ZoomError | None) -> Registry:
    """With a command that creates, and one that does not; both run into ``error``."""

    @hook(Hook.ZOOM_REFUSED)
    async def explain(
        ctx: Context, job: Job, request: Request, command: Command, error: ZoomError
    ) -> Changes:
        return [said(f"{command.name}: {error}")]

    @hook(Hook.CREATION_IN_DOUBT)
    def look(ctx: Context, job: Job, request: Request, changes: Changes) -> Changes:
        return [said("search")]

    @command("make", takes=NOTHING, creates=True)
    async def make(ctx: Context, job: Job, request: Request) -> Changes:
        if error:
            raise error
        return [said("made")]

    @command("read", takes=NOTHING)
    async def read(ctx: Context, job: Job, request: Request) -> Changes:
        if error:
            raise error
        return [said("read")]

    return Registry.collect([module_of(explain, look, make, read)])


@pytest.mark.parametrize(
    ("error", "retried", "expected"),
    [
        (None, False, ["made"]),
        (None, True, ["made", "search"]),
        (ZoomError("no"), False, ["make: no"]),
        (ZoomError("no"), True, ["make: no", "search"]),
        (ZoomUnreachableError("gone", maybe_done=True), False, ["make: gone", "search"]),
        (ZoomUnreachableError("gone", maybe_done=True), True, ["make: gone", "search"]),
        (ZoomUnreachableError("gone"), False, ["make: gone"]),
    ],
)
async def test_only_what_may_have_been_made_is_looked_for(
    error: ZoomError | None, retried: bool, expected: list[str]
) -> None:
    registry = registry_that_creates(error)
    assert ids(await registry.respond(CTX, Job("1", retried=retried), request("make"))) == expected


async def test_a_command_that_creates_nothing_leaves_nothing_to_look_for() -> None:
    registry = registry_that_creates(ZoomUnreachableError("gone", maybe_done=True))
    job = Job("1", retried=True)
    assert ids(await registry.respond(CTX, job, request("read"))) == ["read: gone"]
    # Also where it has failed for good.
    assert ids(registry.give_up(CTX, job, request("read"))) == ["sorry"]
    assert ids(registry.give_up(CTX, job, request("make"))) == ["sorry", "search"]


async def test_an_event_may_have_several_handlers() -> None:
    @webhook("meeting.started")
    async def first(ctx: Context, job: Job, webhook: Webhook) -> Changes:
        return [said("first")]

    @webhook("meeting.started", "meeting.ended", any_meeting=True)
    async def second(ctx: Context, job: Job, webhook: Webhook) -> Changes:
        return [said("second")]

    registry = Registry.collect([module_of(first, second)])
    changes = await registry.receive(CTX, Job("1"), Webhook(event="meeting.started"))
    assert ids(changes) == ["first", "second"]
    assert await registry.receive(CTX, Job("2"), Webhook(event="meeting.unknown")) == []
    assert registry.any_meeting == {"meeting.started", "meeting.ended"}


def test_a_command_that_cannot_stand_alone_says_what_it_asks_for() -> None:
    commands = collect().commands.values()
    lacking = {each.name for each in commands if each.takes and not each.takes.fits("") and not each.asks}
    assert lacking == set()


def commands_table(registry: Registry) -> str:
    """The table of docs/commands.md."""
    shown = [
        (catalogue().markdown(text(each.usage)), catalogue().markdown(text(each.help)), each)
        for each in registry.helped
    ]
    rows = [f"| {usage} | {help} | {_place(each)} |" for usage, help, each in shown]
    return "\n".join(["| Write | to | Where |", "|---|---|---|", *rows])


def _place(command: Command) -> str:
    return "where the bot is a member" if command.where is Where.CHANNEL else "anywhere"


def test_the_table_of_the_documents_is_what_is_declared() -> None:
    documented = DOCS.read_text(encoding="utf-8")
    found = re.search(r"<!-- commands -->\n(.*?)\n<!-- /commands -->", documented, re.DOTALL)
    assert found, "docs/commands.md has no table between its marks"
    expected = commands_table(collect())
    assert found[1] == expected, f"docs/commands.md needs:\n{expected}"


async def test_what_zoom_refuses_after_an_answer_is_explained_as_before_it() -> None:
    @answer("mood", "fine")
    async def mood(ctx: Context, job: Job, request: Request, question: Question) -> Changes:
        raise ZoomError("no")

    @hook(Hook.ZOOM_REFUSED)
    async def explain(
        ctx: Context, job: Job, request: Request, command: Command, error: ZoomError
    ) -> Changes:
        return [said(f"{command.name}: {error}")]

    async def act(ctx: Context, job: Job, request: Request) -> Changes:
        return []

    registry = Registry.collect([module_of(mood, explain)])
    registry.add(Command("greet", act, takes=NOTHING))
    question = Question(id="q", user_id="u", kind="mood", words=["fine"], notice="n", sealed="", expires_at=1)
    assert ids(await registry.resume(CTX, Job("j"), request("greet"), question)) == ["greet: no"]
    with pytest.raises(ZoomError):
        await registry.resume(CTX, Job("j"), request("gone"), question)
