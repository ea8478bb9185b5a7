"""The answers for ``zoombot init``: given as options, asked for, or left at their defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bot.config.model import KEYS_BY_SECTION
from bot.config.rules import WrongValueError
from bot.errors import ConfigError
from bot.setup.prompts import PROMPTS, Prompt

# Asks a person: the prompt, what it offers, and what was wrong with the last answer.
Ask = Callable[[Prompt, str, str], str]


def collect(given: Mapping[str, str | None], folder: Path, ask: Ask | None) -> dict[str, str]:
    """The answers by dotted key. ``given`` has some by parameter; without ``ask``, the rest get defaults.

    Relative paths start from ``folder``. Faults in ``given`` raise :class:`ConfigError` before anything is
    asked; without ``ask`` they are found when the whole file is loaded.
    """
    known = {prompt: answer for prompt in PROMPTS if (answer := given[prompt.parameter])}
    if ask:
        _refuse_faults(known, folder)
    answers: dict[str, str] = {}
    for prompt in PROMPTS:
        answer = known.get(prompt, "")
        if not answer and ask and applies(prompt, answers):
            answer = _asked(prompt, suggested(prompt, answers), folder, ask)
        answers[prompt.key] = answer or suggested(prompt, answers)
    return answers


def _refuse_faults(known: Mapping[Prompt, str], folder: Path) -> None:
    faults = {prompt.key: fault_of(prompt, answer, folder) for prompt, answer in known.items()}
    if any(faults.values()):
        raise ConfigError([f"{key}: {fault}" for key, fault in faults.items() if fault])


def _asked(prompt: Prompt, default: str, folder: Path, ask: Ask) -> str:
    fault = ""
    while True:
        answer = ask(prompt, default, fault).strip()
        fault = fault_of(prompt, answer, folder)
        if not fault:
            return answer


def suggested(prompt: Prompt, answers: Mapping[str, str]) -> str:
    """What the prompt offers, given the answers so far (by dotted key)."""
    if prompt.key == "web.public_url" and answers.get("mattermost.url"):
        return answers["mattermost.url"].rstrip("/") + "/plugins/zoom"
    return prompt.default


def applies(prompt: Prompt, answers: Mapping[str, str]) -> bool:
    """Whether it has to be asked, given the answers so far."""
    return prompt.asked and prompt.app in ("", answers.get("zoom.app", ""))


def fault_of(prompt: Prompt, answer: str, folder: Path) -> str:
    """What is wrong with an answer, empty if nothing is. Relative paths start from ``folder``."""
    section, _, name = prompt.key.partition(".")
    try:
        KEYS_BY_SECTION[section][name].rule.parse(answer, folder)
    except WrongValueError as wrong:
        return str(wrong)
    return ""
