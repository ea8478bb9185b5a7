"""The command line. Heavy modules are imported inside the commands, which keeps ``--help`` fast."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bot import __version__
from bot.errors import ConfigError, ZoombotError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.setup.prompts import Prompt

DEFAULT_CONFIG = Path("bot.toml")

config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=None,
    help="The configuration file (default: bot.toml).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="zoombot")
def main() -> None:
    """Zoom meetings in Mattermost, without a server plugin."""


@main.command()
@config_option
def run(path: Path | None) -> None:
    """Run the bot."""
    _unblock()
    config = _load(path)
    _configure_log(config.log.level, config.log.format)
    from bot.runtime.app import run as run_app

    _finish(lambda: run_app(config))


@main.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8065,
    show_default=True,
    help="The port to listen on; 0 picks a free one.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address, do not open it.")
def demo(port: int, no_browser: bool) -> None:
    """Try the bot without any setup, with local stand-ins for Mattermost and Zoom."""
    _unblock()
    _configure_log("warning", "text")
    from bot.demo import run as run_demo
    from bot.sandbox.stage import Stage

    _finish(lambda: run_demo(Stage(port), browser=not no_browser, say=click.echo))


@main.command()
@config_option
def check(path: Path | None) -> None:
    """Try every setting against the real servers, and say how to fix what is wrong."""
    config = _load(path)
    _configure_log("critical", "text")
    from bot.setup.check import check as look
    from bot.setup.check import is_wrong

    findings = _finish(lambda: look(config))
    for finding in findings:
        click.echo(str(finding))
    sys.exit(1 if is_wrong(findings) else 0)


@main.group()
def keys() -> None:
    """Manage the encryption keys of the store."""


@keys.command("new")
def new() -> None:
    """Print a new key for store.encryption_keys."""
    from bot.setup.keys import new_key

    click.echo(new_key())


@keys.command("rotate")
@config_option
def rotate(path: Path | None) -> None:
    """Re-encrypt everything in the store with the first key. The bot must not be running."""
    config = _load(path)
    from bot.setup.keys import rotate as rotate_store

    rotation = _finish(lambda: rotate_store(config, _bar))
    click.echo(f"{rotation.done} records of {config.store.shown} are now encrypted with the first key.")
    if rotation.unreadable:
        _fail(
            f"{rotation.unreadable} records cannot be opened with any of the keys and were left as they are."
        )


@main.group()
def store() -> None:
    """Look after the records of the store."""


@store.command("list")
@config_option
def list_troubled(path: Path | None) -> None:
    """List the records that are set aside or cannot be opened, and why. Works while the bot runs."""
    config = _load(path)
    from bot.setup.troubled import listed

    troubled = _finish(lambda: listed(config))
    for each in troubled:
        click.echo(str(each))
    if not troubled:
        click.echo("Nothing is set aside, and everything opens.")


@store.command("forget")
@click.argument("id")
@config_option
def forget(id: str, path: Path | None) -> None:
    """Drop one record that `zoombot store list` shows.

    The bot must not be running, unless its store is in PostgreSQL.
    """
    config = _load(path)
    from bot.setup.troubled import forget as forget_record

    dropped = _finish(lambda: forget_record(config, id))
    click.echo(f"Dropped {dropped.id}.")


@store.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@config_option
def copy(source: str, target: str, path: Path | None) -> None:
    """Copy a store into another, which must be empty. The bot must not be running.

    Both are written as in store.url; "config" is store.url itself. The encryption keys stay the same.
    """
    config = _load(path)
    from bot.setup.copying import copy as copy_store

    copied = _finish(lambda: copy_store(config, source, target, _bar))
    click.echo(f"{copied.records} records of {copied.source} are now in {copied.target}.")


@contextlib.contextmanager
def _bar(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """How far a long command is, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    with click.progressbar(length=total, label=name, file=sys.stderr) as bar:
        yield bar.update


def _init_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each prompt. The environment variable of its key can set it as well."""
    from bot.setup.prompts import PROMPTS

    for prompt in reversed(PROMPTS):
        option = click.option(prompt.option, prompt.parameter, envvar=prompt.variable, help=prompt.text + ".")
        command = option(command)
    return command


@main.command()
@config_option
@click.option("--yes", is_flag=True, help="Ask nothing; use the options and the defaults.")
@click.option(
    "--force",
    is_flag=True,
    help="Overwrite the file if it exists, but keep the secrets that it made for itself.",
)
@_init_options
def init(path: Path | None, yes: bool, force: bool, **given: str | None) -> None:
    """Ask for the settings, make the secrets, and write the configuration.

    Each option can also be set by the environment variable that the bot itself reads. That is safer for
    secrets, as in ZOOMBOT_ZOOM__CLIENT_SECRET.
    """
    from bot.setup.answers import collect
    from bot.setup.init import addresses, require_place, write

    target = path or DEFAULT_CONFIG
    try:
        require_place(target, force=force)
        answers = collect(given, target.absolute().parent, None if yes else _ask)
        config = write(target, answers, force=force)
    except ConfigError as error:
        _refuse(error)
    except ZoombotError as error:
        _fail(str(error))
    click.echo(f"Wrote {target}. Enter at Zoom:")
    for name, address in addresses(config):
        click.echo(f"  {name}: {address}")
    click.echo("Then:")
    for command in ("check", "run"):
        click.echo(f"  {_again(command, path)}")


def _ask(prompt: Prompt, default: str, fault: str) -> str:
    """Ask the operator once; ``fault`` is what was wrong with the last answer."""
    if fault:
        click.echo(f"  {fault}")
    answer: str = click.prompt(prompt.text, default=default or None, hide_input=prompt.secret)
    return answer


def _again(command: str, path: Path | None) -> str:
    """The command line for another command on the same file, with the program name that was used here."""
    program = click.get_current_context().find_root().info_name or "zoombot"
    if " " not in program and not shutil.which(program):
        program = shlex.quote(sys.argv[0])
    return f"{program} {command}" + (f" --config {shlex.quote(str(path))}" if path else "")


def _load(path: Path | None) -> Config:
    from bot.config import load

    if path is None and (DEFAULT_CONFIG.exists() or not _in_environment()):
        path = DEFAULT_CONFIG
    try:
        return load(path, os.environ)
    except ConfigError as error:
        _refuse(error)


def _in_environment() -> bool:
    return any(name.startswith("ZOOMBOT_") and "__" in name for name in os.environ)


def _unblock() -> None:
    """Keep a process that lasts from waiting for whoever reads its output."""
    from bot.log.streams import unblock

    unblock()


def _configure_log(level: str, format: str) -> None:
    from bot.log import configure

    configure(level, format)


def _finish(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run ``work``. Print an expected error to stderr and exit with 1, or 2 if the configuration is wrong."""
    import asyncio

    from bot.runtime.executor import DaemonExecutor

    async def finish() -> Any:
        asyncio.get_running_loop().set_default_executor(DaemonExecutor())
        return await work()

    try:
        return asyncio.run(finish())
    except ConfigError as error:
        _refuse(error)
    except ZoombotError as error:
        _fail(str(error))


def _refuse(error: ConfigError) -> NoReturn:
    for fault in error.faults:
        click.echo(fault, err=True)
    sys.exit(2)


def _fail(line: str) -> NoReturn:
    click.echo(line, err=True)
    sys.exit(1)
