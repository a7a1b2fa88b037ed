"""Password rules and hashes, without an application."""

import unicodedata

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from grocery.auth.errors import WeakPasswordError
from grocery.auth.passwords import check_new_password, hash_password, is_right_password, needs_rehash


def test_hash_is_argon2id_with_the_parameters_of_owasp() -> None:
    parameters = extract_parameters(hash_password("correct horse battery"))
    assert (parameters.type, parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (
        Type.ID,
        2,
        19 * 1024,
        1,
    )


def test_only_the_right_password_fits() -> None:
    password_hash = hash_password("correct horse battery")
    assert is_right_password("correct horse battery", password_hash)
    assert not is_right_password("Correct horse battery", password_hash)
    assert not is_right_password("correct horse battery ", password_hash)
    assert not is_right_password("", password_hash)


@pytest.mark.parametrize("password_hash", [None, "", "plain text", "$argon2id$v=19$broken"])
def test_nothing_fits_a_missing_or_broken_hash(password_hash: str | None) -> None:
    assert not is_right_password("correct horse battery", password_hash)


def test_two_ways_to_write_the_same_characters_are_the_same_password() -> None:
    composed, decomposed = (unicodedata.normalize(form, "Zoë's café") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert is_right_password(decomposed, hash_password(composed))


def test_hashes_of_other_parameters_are_due_for_a_new_one() -> None:
    assert needs_rehash(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))
    assert not needs_rehash(hash_password("x"))


@pytest.mark.parametrize("password", ["a" * 8, "a" * 128, "é" * 128, "        "])
def test_lengths_that_are_allowed(password: str) -> None:
    check_new_password(password, "Wanjiku", "wanjiku@example.com")


@pytest.mark.parametrize("password", ["", "a" * 7, "a" * 129])
def test_lengths_that_are_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError) as caught:
        check_new_password(password)
    assert caught.value.members["errors"] == {"password": ["Must have 8 to 128 characters."]}


@pytest.mark.parametrize("password", ["Wanjiku Kamau", "wanjiku kamau", "WANJIKU@example.com"])
def test_own_name_and_own_email_are_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError) as caught:
        check_new_password(password, "Wanjiku Kamau", "wanjiku@example.com", None)
    assert caught.value.members["errors"] == {"password": ["Must not be your name or your e-mail address."]}
