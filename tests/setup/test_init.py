from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cli import main
from bot.config import load
from bot.config.model import KEYS_BY_SECTION
from bot.errors import ConfigError, StartError
from bot.setup.answers import applies, collect, suggested
from bot.setup.init import addresses, render, write
from bot.setup.prompts import PROMPTS, Prompt
from bot.vault import new_key
from tests.config.test_loading import SAMPLE

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
    path.write_text("# precious")
    with pytest.raises(StartError, match="--force"):
        write(path, ANSWERS)
    assert path.read_text() == "# precious"
    write(path, ANSWERS, force=True)
    assert load(path, {}).mattermost.token == "bottoken"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_people_s_links_hang_on_is_kept_from_the_file_that_is_replaced(path: Path) -> None:
    keys = f"{new_key()},{new_key()}"
    before = write(path, {**ANSWERS, "store.encryption_keys": keys, "store.url": "tinydb:/srv/z.db"})
    after = write(path, {**ANSWERS, "mattermost.token": "another"}, force=True)
    assert after.mattermost.token == "another"
    assert after.store == before.store
    assert after.web.url_secret == before.web.url_secret
    given = {"web.url_secret": "mine", "store.encryption_keys": new_key(), "store.url": "tinydb:/srv/y.db"}
    last = write(path, {**ANSWERS, **given}, force=True)
    assert last.web.url_secret == "mine"
    assert last.store.encryption_keys == (given["store.encryption_keys"],)
    assert last.store.url == "tinydb:/srv/y.db"


def test_secrets_in_files_of_their_own_are_kept_there(path: Path) -> None:
    (path.parent / "keys").write_text(new_key())
    path.write_text('[store]\nencryption_keys_file = "keys"\n')
    config = write(path, ANSWERS, force=True)
    assert config.store.encryption_keys == ((path.parent / "keys").read_text(),)
    assert 'encryption_keys_file = "keys"' in path.read_text()
    given = {"store.encryption_keys": new_key()}
    assert write(path, {**ANSWERS, **given}, force=True).store.encryption_keys == tuple(given.values())


def test_a_file_whose_keys_cannot_be_kept_is_not_replaced(path: Path) -> None:
    path.write_text('[store]\nencryption_keys = ["precious\n')
    with pytest.raises(StartError, match="move it away"):
        write(path, ANSWERS, force=True)
    assert "precious" in path.read_text()


def test_the_sample_is_replaced_with_secrets_of_one_s_own(path: Path) -> None:
    path.write_text(SAMPLE.read_text(encoding="utf-8"))
    config = write(path, ANSWERS, force=True)
    assert len(config.web.url_secret) >= 32
    assert len(config.store.encryption_keys) == 1


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
    for prompt in PROMPTS:
        section, _, name = prompt.key.partition(".")
        dashed = name.replace("_", "-")
        assert prompt.option == (f"--{dashed}" if section == "web" else f"--{section}-{dashed}")
        key = KEYS_BY_SECTION[section][name]
        assert (key.secret, key.variable) == (prompt.secret, prompt.variable)
    assert len({prompt.option for prompt in PROMPTS}) == len(PROMPTS)


def test_every_required_key_is_asked_or_made() -> None:
    asked = {prompt.key for prompt in PROMPTS if prompt.asked}
    for keys in KEYS_BY_SECTION.values():
        for key in keys.values():
            assert (
                not key.required
                or key.default
                or key.dotted in asked | {"web.url_secret", "store.encryption_keys"}
            )


Options = dict[str, str | None]


def options(**answers: str) -> Options:
    return {prompt.parameter: answers.get(prompt.parameter) for prompt in PROMPTS}


def test_a_wrong_answer_is_said_and_asked_for_again_at_once(path: Path) -> None:
    replies = iter(
        [
            "chat.example.com",
            " https://chat.example.com ",
            "two words",
            "tok",
            "x",
            "https://c.example",
            "user",
        ]
    )
    asked: list[tuple[str, str]] = []

    def ask(prompt: Prompt, default: str, fault: str) -> str:
        asked.append((prompt.key, fault))
        return next(replies, "value")

    answers = collect(options(), path.parent, ask)
    assert [key for key, _ in asked[:7]] == [
        *["mattermost.url"] * 2,
        *["mattermost.token"] * 2,
        *["web.public_url"] * 2,
        "zoom.app",
    ]
    assert ["https://" in fault for _, fault in asked[:7]] == [False, True, False, False, False, True, False]
    assert answers["mattermost.url"] == "https://chat.example.com"
    assert answers["mattermost.token"] == "tok"


def test_a_wrong_option_is_said_before_anything_is_asked(path: Path) -> None:
    def ask(prompt: Prompt, default: str, fault: str) -> str:
        raise AssertionError(f"{prompt.key} was asked for")

    with pytest.raises(ConfigError) as caught:
        collect(options(mattermost_url="chat.example.com", port="80a"), path.parent, ask)
    assert [fault.split(":")[0] for fault in caught.value.faults] == ["mattermost.url", "web.port"]


def test_a_database_is_written_and_its_password_is_not_said(path: Path) -> None:
    url, pem = (
        "postgresql://zoombot:hunter2@db.example.com/zoombot?sslmode=verify-full",
        path.parent / "ca.pem",
    )
    pem.write_text("PEM")
    given = [
        f"--{key.replace('.', '-').replace('_', '-')}={value}"
        for key, value in ANSWERS.items()
        if key != "web.public_url"
    ]
    start = ["init", "--yes", "--config", str(path), *given]
    done = CliRunner().invoke(main, [*start, f"--store-url={url}", f"--store-ca-file={pem}"])
    assert done.exit_code == 0
    assert "hunter2" not in done.output
    store = load(path, {}).store
    assert (store.url, store.ca_file) == (url, str(pem))
    # What it wrote is kept, and a wrong address is not repeated.
    assert CliRunner().invoke(main, [*start, "--force"]).exit_code == 0
    assert load(path, {}).store.url == url
    wrong = CliRunner().invoke(main, [*start, "--force", "--store-url=postgresql://zoombot:hunter2@"])
    assert wrong.exit_code == 2
    assert "store.url: must name the" in wrong.output
    assert "hunter2" not in wrong.output


def test_whoever_sits_there_is_asked_and_told_what_comes_next(path: Path) -> None:
    typed = [
        "chat.example.com",
        "https://chat.example.com",
        "bottoken",
        "",
        "",
        "id",
        "clientsecret",
        "hooksecret",
    ]
    done = CliRunner().invoke(main, ["init", "--config", str(path)], input="\n".join(typed) + "\n")
    assert done.exit_code == 0
    assert "begins with https://" in done.output
    assert f"check --config {path}" in done.output
    config = load(path, {})
    assert config.web.public_url == "https://chat.example.com/plugins/zoom"
    for secret in (config.mattermost.token, config.zoom.client_secret, config.zoom.webhook_secret):
        assert secret not in done.output


def test_the_account_is_asked_for_server_to_server_apps_only() -> None:
    (account,) = [each for each in PROMPTS if each.key == "zoom.account_id"]
    assert applies(account, {"zoom.app": "server-to-server"})
    assert not applies(account, {"zoom.app": "user"})


def test_the_public_address_is_suggested_from_mattermosts() -> None:
    (public,) = [each for each in PROMPTS if each.key == "web.public_url"]
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


@given(st.dictionaries(st.sampled_from([each.key for each in PROMPTS]), st.text(max_size=30)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_answered_makes_toml(answers: dict[str, str]) -> None:
    table = tomllib.loads(render(answers))
    assert sum(len(keys) for keys in table.values()) == len(answers)
