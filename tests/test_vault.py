from __future__ import annotations

import traceback

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import VaultError
from bot.vault import Vault, new_key

KEY = new_key()
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT, TEXT)
def test_what_was_sealed_opens_for_its_owner(owner: str, value: str) -> None:
    vault = Vault([KEY])
    assert vault.open(owner, vault.seal(owner, value)) == value


@given(TEXT, TEXT, TEXT)
def test_it_opens_for_nobody_else(owner: str, other: str, value: str) -> None:
    vault = Vault([KEY])
    if owner != other:
        with pytest.raises(VaultError, match="another owner"):
            vault.open(other, vault.seal(owner, value))


def test_the_same_value_is_sealed_differently_each_time_and_never_readable() -> None:
    vault = Vault([KEY])
    first, second = vault.seal("alice", "hunter2"), vault.seal("alice", "hunter2")
    assert first != second
    assert "hunter2" not in first


@pytest.mark.parametrize("sealed", ["", "nonsense", "gAAAAA", "ümlaut", "\udcff"])
def test_a_damaged_value_is_refused(sealed: str) -> None:
    with pytest.raises(VaultError, match="does not open"):
        Vault([KEY]).open("alice", sealed)


def test_a_single_changed_character_is_noticed() -> None:
    sealed = Vault([KEY]).seal("alice", "hunter2")
    changed = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]
    with pytest.raises(VaultError):
        Vault([KEY]).open("alice", changed)


@pytest.mark.parametrize("content", [b"hunter2", b'{"owner":"alice"}', b'["alice","hunter2"]', b"\xff"])
def test_a_token_of_the_right_key_but_of_another_kind_is_refused_without_being_quoted(content: bytes) -> None:
    with pytest.raises(VaultError) as caught:
        Vault([KEY]).open("alice", Fernet(KEY).encrypt(content).decode())
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_any_key_opens_and_the_first_one_seals() -> None:
    old, new = new_key(), new_key()
    sealed = Vault([old]).seal("alice", "hunter2")
    both = Vault([new, old])
    assert both.open("alice", sealed) == "hunter2"
    assert Vault([new]).open("alice", both.seal("alice", "x")) == "x"
    with pytest.raises(VaultError):
        Vault([new]).open("alice", sealed)


def test_rotating_makes_the_old_key_needless() -> None:
    old, new = new_key(), new_key()
    rotated = Vault([new, old]).rotate("alice", Vault([old]).seal("alice", "hunter2"))
    assert Vault([new]).open("alice", rotated) == "hunter2"


def test_rotating_checks_the_owner() -> None:
    vault = Vault([KEY])
    with pytest.raises(VaultError):
        vault.rotate("bob", vault.seal("alice", "hunter2"))


@pytest.mark.parametrize(
    "bad",
    ["", "short", "ümlaut", KEY[:-4], "A" * 10_000],
    ids=["empty", "short", "umlaut", "cut", "long"],
)
def test_a_bad_key_is_named_by_its_position_and_not_shown(bad: str) -> None:
    with pytest.raises(VaultError, match="encryption key 2 ") as caught:
        Vault([KEY, bad])
    shown = "".join(traceback.format_exception(caught.value, chain=True)).split("Error: ", 1)[1]
    assert not bad or bad not in shown


def test_no_keys_at_all_say_how_to_get_one() -> None:
    with pytest.raises(VaultError, match="zoombot keys new"):
        Vault([])


def test_the_repr_shows_nothing() -> None:
    assert repr(Vault([KEY])) == "<Vault>"
