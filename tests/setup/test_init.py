from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.config import load
from bot.config.model import KEYS_BY_SECTION
from bot.errors import ConfigError, StartError
from bot.setup.init import addresses, applies, render, suggested, write
from bot.setup.questions import QUESTIONS

ANSWERS = {
    "mattermost.url": "https://chat.example.com",
    "mattermost.token": "bottoken",
    "web.public_url": "https://chat.example.com/plugins/zoom",
    "zoom.app": "user",
    "zoom.client_id": "id",
    "zoom.client_secret": "clientsecret",
    "zoom.webhook_secret": "hooksecret",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.toml"


def test_the_file_is_its_owners_alone_and_loads(path: Path) -> None:
    write(path, ANSWERS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = load(path, {})
    assert config.zoom.client_secret == "clientsecret"
    assert config.warnings == ()
    assert list(path.parent.iterdir()) == [path]


def test_the_secrets_of_our_own_are_fresh_each_time(tmp_path: Path) -> None:
    one, other = write(tmp_path / "one", ANSWERS), write(tmp_path / "other", ANSWERS)
    assert len(one.web.url_secret) >= 32
    assert one.web.url_secret != other.web.url_secret
    assert one.store.encryption_keys != other.store.encryption_keys


def test_secrets_that_were_given_are_kept(path: Path) -> None:
    assert write(path, {**ANSWERS, "web.url_secret": "mine"}).web.url_secret == "mine"


def test_a_file_that_is_there_stays_as_it_is(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(StartError, match="--force"):
        write(path, ANSWERS)
    assert path.read_text() == "precious"
    write(path, ANSWERS, force=True)
    assert load(path, {}).mattermost.token == "bottoken"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_answers_with_faults_write_nothing_and_are_all_named(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        write(path, {**ANSWERS, "zoom.app": "oauth", "web.port": "80a", "mattermost.url": "chat"})
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "mattermost.url",
        "zoom.app",
        "web.port",
    ]
    assert list(path.parent.iterdir()) == []


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be written"):
        write(tmp_path / "none" / "bot.toml", ANSWERS)


def test_every_option_is_named_after_its_key() -> None:
    for question in QUESTIONS:
        section, _, name = question.key.partition(".")
        dashed = name.replace("_", "-")
        assert question.option == (f"--{dashed}" if section == "web" else f"--{section}-{dashed}")
        assert KEYS_BY_SECTION[section][name].secret == question.secret
    assert len({question.option for question in QUESTIONS}) == len(QUESTIONS)


def test_every_required_key_is_asked_or_made() -> None:
    asked = {question.key for question in QUESTIONS if question.asked}
    for keys in KEYS_BY_SECTION.values():
        for key in keys.values():
            assert (
                not key.required
                or key.default
                or key.dotted in asked | {"web.url_secret", "store.encryption_keys"}
            )


def test_the_account_is_asked_for_server_to_server_apps_only() -> None:
    (account,) = [each for each in QUESTIONS if each.key == "zoom.account_id"]
    assert applies(account, {"zoom.app": "server-to-server"})
    assert not applies(account, {"zoom.app": "user"})


def test_the_public_address_is_suggested_from_mattermosts() -> None:
    (public,) = [each for each in QUESTIONS if each.key == "web.public_url"]
    assert (
        suggested(public, {"mattermost.url": "https://chat.example.com/"})
        == "https://chat.example.com/plugins/zoom"
    )
    assert suggested(public, {}) == ""


def test_the_addresses_for_zoom_are_those_of_the_contract(path: Path) -> None:
    config = write(path, {**ANSWERS, "web.url_secret": "a&b"})
    assert [value for _, value in addresses(config)] == [
        "https://chat.example.com/plugins/zoom/oauth2/complete",
        "https://chat.example.com/plugins/zoom/webhook?secret=a%26b",
    ]


@given(st.dictionaries(st.sampled_from([each.key for each in QUESTIONS]), st.text(max_size=30)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_answered_makes_toml(answers: dict[str, str]) -> None:
    table = tomllib.loads(render(answers))
    assert sum(len(keys) for keys in table.values()) == len(answers)
