"""What ``zoombot init`` was told: given at once, asked for, or left at its default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bot.config.model import KEYS_BY_SECTION
from bot.config.rules import WrongValueError
from bot.errors import ConfigError
from bot.setup.questions import QUESTIONS, Question

# Asks a person: the question, what it offers, and what was wrong with the last answer.
Ask = Callable[[Question, str, str], str]


def collect(given: Mapping[str, str | None], folder: Path, ask: Ask | None) -> dict[str, str]:
    """The answers by dotted key. ``given`` has some by parameter; without ``ask`` the rest gets its default.

    Relative paths start from ``folder``. Before anything is asked, what is wrong with ``given`` is raised
    as :class:`ConfigError`; without ``ask``, who reads the whole file judges it.
    """
    known = {question: answer for question in QUESTIONS if (answer := given[question.parameter])}
    if ask:
        _refuse_faults(known, folder)
    answers: dict[str, str] = {}
    for question in QUESTIONS:
        answer = known.get(question, "")
        if not answer and ask and applies(question, answers):
            answer = _asked(question, suggested(question, answers), folder, ask)
        answers[question.key] = answer or suggested(question, answers)
    return answers


def _refuse_faults(known: Mapping[Question, str], folder: Path) -> None:
    faults = {question.key: fault_of(question, answer, folder) for question, answer in known.items()}
    if any(faults.values()):
        raise ConfigError([f"{key}: {fault}" for key, fault in faults.items() if fault])


def _asked(question: Question, default: str, folder: Path, ask: Ask) -> str:
    fault = ""
    while True:
        answer = ask(question, default, fault).strip()
        fault = fault_of(question, answer, folder)
        if not fault:
            return answer


def suggested(question: Question, answers: Mapping[str, str]) -> str:
    """What the question offers, given the answers so far (by dotted key)."""
    if question.key == "web.public_url" and answers.get("mattermost.url"):
        return answers["mattermost.url"].rstrip("/") + "/plugins/zoom"
    return question.default


def applies(question: Question, answers: Mapping[str, str]) -> bool:
    """Whether it has to be asked at all, given the answers so far."""
    return question.asked and question.app in ("", answers.get("zoom.app", ""))


def fault_of(question: Question, answer: str, folder: Path) -> str:
    """What is wrong with an answer by itself, empty if nothing is. Relative paths start from ``folder``."""
    section, _, name = question.key.partition(".")
    try:
        KEYS_BY_SECTION[section][name].rule.parse(answer, folder)
    except WrongValueError as wrong:
        return str(wrong)
    return ""
