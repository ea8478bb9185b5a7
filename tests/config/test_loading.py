from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.config import Config, load
from bot.config.model import KEYS_BY_SECTION
from bot.errors import ConfigError

SAMPLE = Path(__file__).parents[2] / "bot.toml"
KEY = Fernet.generate_key().decode()
OTHER_KEY = Fernet.generate_key().decode()

Sections = dict[str, dict[str, Any]]

GOOD: Sections = {
    "mattermost": {"url": "https://chat.example.com", "token": "bottoken"},
    "zoom": {"client_id": "id", "client_secret": "clientsecret", "webhook_secret": "hooksecret"},
    "web": {"public_url": "https://chat.example.com/plugins/zoom", "url_secret": "urlsecret"},
    "store": {"encryption_keys": [KEY]},
}


def toml_of(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(toml_of(item) for item in value) + "]"
    if isinstance(value, str):
        return (
            '"'
            + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\0", "\\u0000")
            + '"'
        )
    return str(value)


def write(path: Path, sections: Sections) -> Path:
    lines: list[str] = []
    for section, keys in sections.items():
        lines += [f"[{section}]", *(f"{name} = {toml_of(value)}" for name, value in keys.items())]
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(0o600)
    return path


def changed(dotted: str, value: object) -> Sections:
    section, _, name = dotted.partition(".")
    return {**GOOD, section: {**GOOD.get(section, {}), name: value}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.toml"


def faults_of(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    return caught.value.faults


def attribute(config: Config, dotted: str) -> Any:
    section, _, name = dotted.partition(".")
    key = KEYS_BY_SECTION[section][name]
    return getattr(getattr(config, section), key.attribute)


def test_a_small_file_gets_every_default(path: Path) -> None:
    config = load(write(path, GOOD), {})
    assert config.mattermost.url == "https://chat.example.com"
    assert config.mattermost.catch_up_ms == 900_000
    assert config.meetings.duplicate_window_ms == 30_000
    assert config.zoom.api_url == "https://api.zoom.us/v2"
    assert config.store.encryption_keys == (KEY,)
    assert config.store.url == f"tinydb:{path.parent}/zoombot.db"
    assert (config.web.port, config.web.admin_port) == (8090, 8091)
    assert config.warnings == ()


def test_the_sample_holds_every_key_with_its_default_and_nothing_else() -> None:
    sample = tomllib.loads(SAMPLE.read_text(encoding="utf-8"))
    assert list(sample) == list(KEYS_BY_SECTION)
    for section, keys in KEYS_BY_SECTION.items():
        assert list(sample[section]) == list(keys)
        for name, key in keys.items():
            value = key.rule.read(sample[section][name], Path())
            assert value == key.default, key.dotted


def test_the_sample_explains_every_key_in_a_line_before_it() -> None:
    before = ""
    for line in SAMPLE.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            assert before.startswith("#"), line
        before = line


def test_the_sample_as_it_stands_lacks_only_what_is_required() -> None:
    faults = faults_of(SAMPLE)
    required = [key.dotted for keys in KEYS_BY_SECTION.values() for key in keys.values() if key.required]
    assert [fault.split(":")[0] for fault in faults] == [name for name in required if name != "store.url"]
    assert all("is required" in fault for fault in faults)


def test_the_sample_marks_what_is_required_and_what_is_secret() -> None:
    comments, comment, section = {}, "", ""
    for line in SAMPLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.startswith("#"):
            comment = line
        elif "=" in line:
            comments[f"{section}.{line.split(' ')[0]}"] = comment
    for keys in KEYS_BY_SECTION.values():
        for key in keys.values():
            assert ("ecret" in comments[key.dotted].split(".")[0]) == key.secret, key.dotted
            assert comments[key.dotted].startswith("# REQUIRED") == (key.required and not key.default), (
                key.dotted
            )


def test_everything_can_come_from_the_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {
        "ZOOMBOT_MATTERMOST__URL": "https://chat.example.com",
        "ZOOMBOT_MATTERMOST__TOKEN": "bottoken",
        "ZOOMBOT_MATTERMOST__ADMINS": "alice, @Bob,",
        "ZOOMBOT_MATTERMOST__KEYWORD": "",
        "ZOOMBOT_MATTERMOST__CATCH_UP": "1h",
        "ZOOMBOT_ZOOM__APP": "server-to-server",
        "ZOOMBOT_ZOOM__ACCOUNT_ID": "account",
        "ZOOMBOT_ZOOM__CLIENT_ID": "id",
        "ZOOMBOT_ZOOM__CLIENT_SECRET": "clientsecret",
        "ZOOMBOT_ZOOM__WEBHOOK_SECRET": "hooksecret",
        "ZOOMBOT_ZOOM__REQUIRE_SAME_EMAIL": "true",
        "ZOOMBOT_WEB__PUBLIC_URL": "https://chat.example.com",
        "ZOOMBOT_WEB__PORT": "0",
        "ZOOMBOT_WEB__URL_SECRET": "urlsecret",
        "ZOOMBOT_STORE__ENCRYPTION_KEYS": f"{KEY},{OTHER_KEY}",
        "ZOOMBOT_STORE__URL": "tinydb:data/bot.db",
        "ZOOMBOT_NODE_MODULES": "not ours",
        "HOME": "/",
    }
    config = load(None, environ)
    assert config.mattermost.admins == ("alice", "bob")
    assert config.mattermost.keyword == ""
    assert config.mattermost.catch_up_ms == 3_600_000
    assert config.zoom.require_same_email is True
    assert config.web.port == 0
    assert config.store.encryption_keys == (KEY, OTHER_KEY)
    assert config.store.url == f"tinydb:{tmp_path}/data/bot.db"


def test_the_environment_wins_over_a_file_of_its_own_and_that_over_the_key(path: Path) -> None:
    (path.parent / "one").write_text("from-file\n")
    (path.parent / "two").write_text("from-variable-file\n")
    sections = changed("zoom.client_secret_file", "one")
    write(path, sections)
    variable_file = {"ZOOMBOT_ZOOM__CLIENT_SECRET_FILE": str(path.parent / "two")}
    variable = {**variable_file, "ZOOMBOT_ZOOM__CLIENT_SECRET": "from-variable"}
    assert load(path, {}).zoom.client_secret == "from-file"
    assert load(path, variable_file).zoom.client_secret == "from-variable-file"
    assert load(path, variable).zoom.client_secret == "from-variable"
    # An image's own variable can be emptied, not removed.
    emptied = {**variable_file, "ZOOMBOT_ZOOM__CLIENT_SECRET": ""}
    assert load(path, emptied).zoom.client_secret == "from-variable-file"


def test_an_overridden_value_is_not_judged(path: Path) -> None:
    write(path, changed("zoom.app", 7))
    assert load(path, {"ZOOMBOT_ZOOM__APP": "account"}).zoom.app == "account"


def test_every_secret_can_come_from_a_file(path: Path) -> None:
    sections: Sections = {name: dict(keys) for name, keys in GOOD.items()}
    database = "postgresql://zoombot:a%2Fb@db/zoombot?sslmode=verify-full"
    texts = {"store.encryption_keys": f"{KEY}\n{OTHER_KEY}", "store.url": database}
    for section, keys in KEYS_BY_SECTION.items():
        for key in keys.values():
            if key.secret:
                text = texts.get(key.dotted, f"{key.name}-value") + "\n"
                (path.parent / key.name).write_text(text)
                sections[section].pop(key.name, None)
                sections[section][f"{key.name}_file"] = key.name
    config = load(write(path, sections), {})
    assert config.mattermost.token == "token-value"
    assert config.mattermost.command_token == "command_token-value"
    assert config.store.encryption_keys == (KEY, OTHER_KEY)
    assert config.store.url == database


def test_a_relative_path_starts_from_the_file_or_from_where_the_bot_was_started(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (tmp_path / "ca.pem").write_text("file")
    (elsewhere / "ca.pem").write_text("cwd")
    sections = changed("mattermost.ca_file", "ca.pem")
    sections["store"] = {**sections["store"], "url": "tinydb:sub/z.db"}
    write(path, sections)
    config = load(Path("../bot.toml"), {"ZOOMBOT_ZOOM__CA_FILE": "ca.pem"})
    assert Path(config.mattermost.ca_file).read_text() == "file"
    assert Path(config.zoom.ca_file).read_text() == "cwd"
    assert Path(config.store.url.removeprefix("tinydb:")).parent.resolve() == tmp_path / "sub"


def test_the_path_of_the_store_may_be_absolute(path: Path) -> None:
    for url in ("tinydb:/var/lib/z.db", "tinydb:///var/lib/z.db"):
        assert load(write(path, changed("store.url", url)), {}).store.url == "tinydb:/var/lib/z.db"


def test_all_faults_come_at_once(path: Path) -> None:
    path.write_text(
        '[mattermost]\nurl = 5\nkeywrd = "x"\n[zoom]\napp = "x"\n[nonsense]\n[web]\nport = "8090"\n'
    )
    faults = faults_of(path, {"ZOOMBOT_LOG__LEVEL": "loud", "ZOOMBOT_WEB__PROT": "1"})
    named = [fault.split(":")[0] for fault in faults]
    assert set(named) == {
        "mattermost.url",
        "mattermost.token",
        "mattermost.keywrd",
        "zoom.app",
        "zoom.client_id",
        "zoom.client_secret",
        "zoom.webhook_secret",
        "nonsense",
        "web.port",
        "web.prot",
        "web.public_url",
        "web.url_secret",
        "store.encryption_keys",
        "log.level",
    }
    assert len(named) == len(set(named))
    assert "did you mean mattermost.keyword?" in "\n".join(faults)


def test_a_secret_is_in_no_repr(path: Path) -> None:
    sections = changed("mattermost.command_token", "commandtoken")
    config = load(write(path, sections), {})
    for secret in ("bottoken", "clientsecret", "hooksecret", "urlsecret", "commandtoken", KEY):
        assert secret not in repr(config)
        assert secret not in str(dataclasses.replace(config, warnings=("x",)))


def test_the_configuration_cannot_be_changed(path: Path) -> None:
    config = load(write(path, GOOD), {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.zoom.app = "account"  # type: ignore[misc]


def test_loose_permissions_on_secrets_are_a_warning(path: Path) -> None:
    write(path, GOOD).chmod(0o644)
    (warning,) = load(path, {}).warnings
    assert "chmod 600" in warning
    assert "zoom.client_secret" in warning


def test_loose_permissions_without_secrets_are_fine(path: Path) -> None:
    write(path, {"log": {"level": "debug"}}).chmod(0o644)
    environ = {
        key.variable: ",".join(value) if isinstance(value, list) else value
        for section, given in GOOD.items()
        for name, value in given.items()
        if (key := KEYS_BY_SECTION[section][name])
    }
    assert load(path, environ).warnings == ()


def test_a_picture_without_tls_is_a_warning(path: Path) -> None:
    url = "http://intranet.example/zoom.png"
    config = load(write(path, changed("mattermost.override_icon_url", url)), {})
    assert config.mattermost.override_icon_url == url
    (warning,) = config.warnings
    assert warning.startswith("mattermost.override_icon_url: ")


def test_mattermost_without_tls_is_a_warning(path: Path) -> None:
    config = load(write(path, changed("mattermost.url", "http://chat.example.com:8065")), {})
    assert config.mattermost.url == "http://chat.example.com:8065"
    (warning,) = config.warnings
    assert warning.startswith("mattermost.url: ")


@pytest.mark.parametrize("names", [["HTTPS_PROXY"], ["http_proxy", "all_proxy"]])
def test_a_proxy_in_the_environment_is_said_not_to_be_used(tmp_path: Path, names: list[str]) -> None:
    path = write(tmp_path / "bot.toml", GOOD)
    path.chmod(0o600)
    (warning,) = load(path, dict.fromkeys(names, "http://user:s3cret@proxy:3128")).warnings
    assert warning.startswith(f"{', '.join(sorted(names))}: outgoing proxies are not supported")
    assert "s3cret" not in warning
    assert load(path, dict.fromkeys(names, "") | {"NO_PROXY": "*"}).warnings == ()
