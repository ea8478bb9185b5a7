from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.config import Config, load
from bot.config.model import KEYS_BY_SECTION
from bot.errors import ConfigError
from tests.config.test_loading import GOOD, KEY, attribute, changed, faults_of, toml_of, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.toml"


@pytest.mark.parametrize(
    ("dotted", "value", "expected"),
    [
        ("mattermost.url", "https://Chat.Example.com/", "https://chat.example.com"),
        ("mattermost.url", "https://example.com/Chat/", "https://example.com/Chat"),
        ("mattermost.url", "https://[2001:db8::1]:8065", "https://[2001:db8::1]:8065"),
        ("zoom.url", "http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ("zoom.api_url", "http://localhost:9000/v2", "http://localhost:9000/v2"),
        ("web.public_url", "http://[::1]:9000/x/y", "http://[::1]:9000/x/y"),
        ("mattermost.catch_up", "0s", 0),
        ("mattermost.catch_up", "1h", 3_600_000),
        ("mattermost.catch_up", "2d", 172_800_000),
        ("meetings.duplicate_window", "15m", 900_000),
        ("mattermost.keyword", "", ""),
        ("mattermost.keyword", "Treffen", "Treffen"),
        ("mattermost.admins", ["@Alice", "bob.b"], ("alice", "bob.b")),
        ("mattermost.override_icon_url", "https://example.com/i.png?v=2", "https://example.com/i.png?v=2"),
        ("meetings.default_topic", "{channel}: {user}", "{channel}: {user}"),
        ("meetings.confirm_above", 50, 50),
        ("web.port", 0, 0),
        ("web.host", "::", "::"),
        ("log.format", "json", "json"),
    ],
)
def test_accepted(path: Path, dotted: str, value: object, expected: object) -> None:
    assert attribute(load(write(path, changed(dotted, value)), {}), dotted) == expected


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("mattermost.url", "chat.example.com"),
        ("mattermost.url", "ftp://chat.example.com"),
        ("mattermost.url", "https://"),
        ("mattermost.url", "https://user:pass@chat.example.com"),
        ("mattermost.url", "https://user@chat.example.com"),
        ("mattermost.url", "https://chat.example.com/?a=b"),
        ("mattermost.url", "https://chat.example.com/#a"),
        ("mattermost.url", "https://chat.example.com/a?"),
        ("mattermost.url", "https://chat.example.com:99999"),
        ("mattermost.url", "https://chat.example.com:"),
        ("mattermost.url", "https://chat.example.com:0"),
        ("mattermost.url", "https://chat .example.com"),
        ("mattermost.url", "https://chat.example.com/../x"),
        ("mattermost.url", "https://[::1"),
        ("mattermost.url", " https://chat.example.com"),
        ("mattermost.url", "https://chat.example.com\n"),
        ("zoom.url", "http://zoom.us"),
        ("zoom.url", "http://localhost.evil.example"),
        ("zoom.api_url", "http://127.0.0.1.example.com"),
        ("web.public_url", "http://chat.example.com/plugins/zoom"),
        ("mattermost.catch_up", "15"),
        ("mattermost.catch_up", "15 m"),
        ("mattermost.catch_up", "-5m"),
        ("mattermost.catch_up", "1.5h"),
        ("mattermost.catch_up", ""),
        ("mattermost.catch_up", "99999999d"),
        ("mattermost.catch_up", "١٥m"),
        ("mattermost.catch_up", 15),
        ("meetings.duplicate_window", "30 seconds"),
        ("mattermost.keyword", "two words"),
        ("mattermost.keyword", "@zoom"),
        ("mattermost.keyword", "/zoom"),
        ("mattermost.admins", "alice"),
        ("mattermost.admins", ["alice", 5]),
        ("mattermost.admins", ["al ice"]),
        ("mattermost.token", "two words"),
        ("mattermost.token", "line\nbreak"),
        ("mattermost.ca_file", "missing.pem"),
        ("mattermost.ca_file", "."),
        ("mattermost.ca_file", "nul\0byte"),
        ("mattermost.override_icon_url", "ftp://example.com/i.png"),
        ("mattermost.override_icon_url", "example.com/i.png"),
        ("mattermost.override_username", "a\nb"),
        ("zoom.app", "oauth"),
        ("zoom.require_same_email", "yes"),
        ("zoom.require_same_email", 1),
        ("zoom.client_secret", ["a"]),
        ("web.port", 65_536),
        ("web.port", -1),
        ("web.port", True),
        ("web.port", "8090"),
        ("web.port", 8090.5),
        ("web.host", ""),
        ("web.host", "http://x"),
        ("web.admin_port", 8090),
        ("store.url", "zoombot.db"),
        ("store.url", "tinydb:"),
        ("store.url", "tinydb://host/file"),
        ("store.url", "mysql://db"),
        ("store.url", "postgresql://u:p@db"),
        ("store.url", "postgresql://db/zoombot"),
        ("store.url", "postgresql://u:p@db:x/zoombot"),
        ("store.url", "postgresql://u:p@db:0/zoombot"),
        ("store.url", "postgresql://u:p#q@db/zoombot"),
        ("store.url", "postgresql://u:p@db/zoombot?sslmode=maybe"),
        ("store.url", "postgresql://u:p@db/zoombot?sslrootcert=x"),
        ("store.url", "postgres:db"),
        ("store.encryption_keys", []),
        ("store.encryption_keys", ["short"]),
        ("store.encryption_keys", [KEY, KEY[:-2]]),
        ("meetings.default_topic", "{topic}"),
        ("meetings.default_topic", "{channel"),
        ("meetings.default_topic", "{user!r}"),
        ("meetings.default_topic", ""),
        ("meetings.default_topic", "x" * 201),
        ("meetings.personal_meeting_room", "sometimes"),
        ("meetings.confirm_above", -1),
        ("meetings.post_recordings", "all"),
        ("log.level", "INFO "),
        ("log.format", "xml"),
    ],
)
def test_refused_and_the_key_is_named(path: Path, dotted: str, value: object) -> None:
    (fault,) = faults_of(write(path, changed(dotted, value)))
    assert fault.startswith(f"{dotted}: ")
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("mattermost.token", '"token-of-some-length"'),
        ("zoom.client_secret", "'secret'"),
        ("zoom.webhook_secret", " “secret” "),
        ("mattermost.url", '"https://chat.example.com"'),
        ("store.encryption_keys", [f'"{KEY}"']),
        ("mattermost.catch_up", '"15m"'),
    ],
)
def test_quotes_that_were_kept_around_a_value_are_named(path: Path, dotted: str, value: object) -> None:
    (fault,) = faults_of(write(path, changed(dotted, value)))
    assert fault == f"{dotted}: has quotes around it that belong to the value: leave them out"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("MATTERMOST__TOKEN", '"token-of-some-length"'),
        ("STORE__ENCRYPTION_KEYS", '"KEY"'),
        ("STORE__ENCRYPTION_KEYS", '"KEY,KEY"'),
        ("STORE__ENCRYPTION_KEYS", "'KEY','KEY'"),
        ("WEB__PORT", '"8090"'),
        ("MEETINGS__SUMMARIES", "'true'"),
    ],
)
def test_quotes_in_the_environment_and_in_a_file_of_a_secret_are_named(
    path: Path, tmp_path: Path, variable: str, text: str
) -> None:
    write(path, GOOD)
    text = text.replace("KEY", KEY)
    what = "has quotes around it that belong to the value: leave them out"
    dotted = variable.lower().replace("__", ".")
    with pytest.raises(ConfigError) as caught:
        load(path, {f"ZOOMBOT_{variable}": text})
    assert caught.value.faults == [f"{dotted}: {what} (from ZOOMBOT_{variable})"]
    if "TOKEN" in variable or "KEYS" in variable:
        (tmp_path / "secret").write_text(text + "\n")
        with pytest.raises(ConfigError) as caught:
            load(path, {f"ZOOMBOT_{variable}_FILE": str(tmp_path / "secret")})
        assert caught.value.faults == [f"{dotted}: {what} (from ZOOMBOT_{variable}_FILE)"]


@pytest.mark.parametrize("dotted", ["meetings.default_topic", "mattermost.override_username"])
def test_text_in_words_may_have_quotes(path: Path, dotted: str) -> None:
    assert attribute(load(write(path, changed(dotted, '"Jour fixe"')), {}), dotted) == '"Jour fixe"'


def test_an_enum_fault_names_the_allowed_values(path: Path) -> None:
    (fault,) = faults_of(write(path, changed("zoom.app", "oauth")))
    assert '"user", "account", "server-to-server"' in fault


def test_a_type_fault_names_both_types(path: Path) -> None:
    (fault,) = faults_of(write(path, changed("web.port", "8090")))
    assert fault == "web.port: must be a whole number, not text in quotes"


def test_every_key_that_is_none_is_counted(path: Path) -> None:
    (fault,) = faults_of(write(path, changed("store.encryption_keys", ["short", KEY, "x" * 44])))
    assert fault.startswith("store.encryption_keys: not a key: number 1, 3 of the list")


def test_a_wrong_database_is_refused_without_quoting_its_password(path: Path) -> None:
    for wrong in ("db", "db/zoombot?sslmode=s3cret", "db:s3cret/zoombot", "/zoombot", "db/zoombot?s3cret"):
        (fault,) = faults_of(write(path, changed("store.url", f"postgresql://zoombot:s3cret@{wrong}")))
        assert fault.startswith("store.url: ")
        assert "s3cret" not in fault


def test_an_address_without_its_scheme_is_told_what_to_put_before_it(path: Path) -> None:
    for name in ("mattermost.url", "zoom.url", "web.public_url"):
        (fault,) = faults_of(write(path, changed(name, "chat.example.com")))
        assert "begins with https://" in fault


def test_a_server_to_server_app_needs_its_account(path: Path) -> None:
    (fault,) = faults_of(write(path, changed("zoom.app", "server-to-server")))
    assert fault.startswith("zoom.account_id: is required")


def test_equal_ports_on_different_addresses_are_fine(path: Path) -> None:
    sections = changed("web.admin_port", 8090)
    sections["web"] = {**sections["web"], "admin_host": "127.0.0.2"}
    assert load(write(path, sections), {}).web.admin_port == 8090
    sections["web"] = {**sections["web"], "admin_host": "::"}
    assert faults_of(write(path, sections)) == ["web.admin_port: must differ from web.port"]


def test_two_free_ports_do_not_clash(path: Path) -> None:
    sections = changed("web.port", 0)
    sections["web"] = {**sections["web"], "admin_port": 0}
    assert load(write(path, sections), {}).web.admin_port == 0


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ZOOMBOT_WEB__PORT", "80a"),
        ("ZOOMBOT_ZOOM__REQUIRE_SAME_EMAIL", "maybe"),
        ("ZOOMBOT_MATTERMOST__CATCH_UP", "15"),
        ("ZOOMBOT_ZOOM__CLIENT_SECRET", ""),
        ("ZOOMBOT_ZOOM__CLIENT_SECRET_FILE", "/nonexistent/secret"),
        ("ZOOMBOT_ZOOM__CLIENT_ID_FILE", "/etc/hostname"),
        ("ZOOMBOT_NONSENSE__KEY", "x"),
        ("ZOOMBOT_ZOOM__Client_id", "x"),
        ("ZOOMBOT_ZOOM__", "x"),
    ],
)
def test_a_fault_of_the_environment_names_the_variable(path: Path, variable: str, value: str) -> None:
    (fault,) = faults_of(write(path, GOOD), {variable: value})
    assert variable in fault


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path / "none.toml")
    assert "none.toml" in fault
    assert "zoombot init" in fault


def test_a_directory_is_no_configuration(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path)
    assert "cannot be read" in fault


def test_a_file_that_is_not_text_says_so(path: Path) -> None:
    path.write_bytes(b"[zoom]\napp = '\xff'")
    (fault,) = faults_of(path)
    assert "not UTF-8" in fault


def test_a_byte_order_mark_is_no_fault(path: Path) -> None:
    write(path, GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(path, {}).mattermost.token == "bottoken"


def test_a_syntax_fault_names_the_line_and_repeats_nothing(path: Path) -> None:
    path.write_text("[zoom]\n\nclient_secret = verysecret\n")
    (fault,) = faults_of(path)
    assert "line 3" in fault
    assert "verysecret" not in fault


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 100_000, "a = " + "9" * 10_000, "a = 2026-99-99", "[a]\n[a]\n"]
)
def test_a_file_that_overwhelms_the_parser_is_a_fault(path: Path, text: str) -> None:
    path.write_text(text)
    assert len(faults_of(path)) >= 1


@pytest.mark.parametrize("text", ['zoom = "x"', "zoom = [1]", "[[zoom]]"])
def test_a_section_must_be_a_section(path: Path, text: str) -> None:
    path.write_text(text)
    assert any(fault.startswith("zoom: must be a section") for fault in faults_of(path))


def test_no_fault_repeats_a_secret_wherever_it_was_put(path: Path) -> None:
    secret = "s3cr3t-V4lue!"
    for section, keys in KEYS_BY_SECTION.items():
        for name in [*keys, *(f"{key.name}_file" for key in keys.values() if key.secret), "unknown"]:
            for value in (secret, [secret], {"x": secret}, 5):
                text = f'{{ x = "{secret}" }}' if isinstance(value, dict) else toml_of(value)
                path.write_text(f"[{section}]\n{name} = {text}\n")
                faults = faults_of(path, {f"ZOOMBOT_{section.upper()}__PORT": secret})
                shown = "\n".join(faults)
                # A path that cannot be read is named: it is no secret.
                assert secret not in shown or "_file" in name


KEY_NAMES = st.sampled_from([key for keys in KEYS_BY_SECTION.values() for key in keys.values()])
VALUES = (
    st.text(max_size=40)
    | st.integers()
    | st.booleans()
    | st.lists(st.text(max_size=10), max_size=3)
    | st.sampled_from(["https://a.example", "15m", "user", "tinydb:x", "http://[", "https://a:b", "{", "0s"])
)


@given(st.binary(max_size=400))
@example(b"[zoom]\r\napp=''\r")
@example(b"\x00")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_bytes_give_a_configuration_or_faults(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    load_or_faults(path, {})


@given(st.lists(st.tuples(KEY_NAMES, VALUES), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_values_give_a_configuration_or_faults(path: Path, chosen: list[tuple[object, object]]) -> None:
    sections = {name: dict(keys) for name, keys in GOOD.items()}
    for key, value in chosen:
        sections.setdefault(key.section, {})[key.name] = value  # type: ignore[attr-defined]
    lines = []
    for section, keys in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {safe_toml_of(value)}" for name, value in keys.items()]
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    load_or_faults(path, {})


@given(KEY_NAMES, st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_environment_gives_a_configuration_or_faults(path: Path, key: object, value: str) -> None:
    write(path, GOOD)
    load_or_faults(path, {key.variable: value})  # type: ignore[attr-defined]


def safe_toml_of(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(safe_toml_of(item) for item in value) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value if not 0xD800 <= ord(c) < 0xE000) + '"'
    return str(value).lower()


def load_or_faults(path: Path, environ: dict[str, str]) -> None:
    faults = None
    try:
        assert isinstance(load(path, environ), Config)
    except ConfigError as error:
        faults = error.faults
    assert faults is None or (faults and all(fault and "\n" not in fault for fault in faults))


def test_a_made_key_is_accepted(path: Path) -> None:
    for _ in range(50):
        write(path, changed("store.encryption_keys", [Fernet.generate_key().decode()]))
        assert load(path, {})
