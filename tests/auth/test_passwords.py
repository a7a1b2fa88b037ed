"""Password rules and hashes, without an application."""

import unicodedata

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from grocery.auth import passwords
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


@pytest.mark.parametrize("password", ["x9-k2!qz", "a" * 128, "é" * 128, "        ", "🔑" * 8])
def test_lengths_that_are_allowed(password: str) -> None:
    check_new_password(password, "Wanjiku", "wanjiku@example.com")


@pytest.mark.parametrize("password", ["", "a" * 7, "a" * 129])
def test_lengths_that_are_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError) as caught:
        check_new_password(password)
    assert caught.value.members["errors"] == {"password": ["Must have 8 to 128 characters."]}


@pytest.mark.parametrize(
    "password",
    ["Wanjiku Kamau", "wanjiku kamau", "WANJIKU.K@example.com", "Wanjiku.K", "TEST grocer", "\uff37anjiku Kamau"],
)
def test_what_comes_to_mind_first_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError) as caught:
        check_new_password(password, "Wanjiku Kamau", "wanjiku.k@example.com", "Test Grocer", None)
    assert caught.value.members["errors"] == {
        "password": ["Must not be your name, your e-mail address or the shop's name."]
    }


@pytest.mark.parametrize(
    "password", ["12345678", "Password1", "QWERTYUIOP", "#1stunna", "Safaricom1", "\uff11" + "2345678"]
)
def test_common_passwords_are_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError) as caught:
        check_new_password(password, "Wanjiku")
    assert caught.value.members["errors"] == {
        "password": ["Is among the passwords that are tried first, since many people have it."]
    }


def test_the_list_has_ten_thousand_that_the_length_alone_would_let_pass() -> None:
    words = passwords._common_passwords()
    assert len(words) >= 10_000
    assert [word for word in words if not 8 <= len(word) <= 128 or word != word.casefold()] == []
    assert [word for word in words if " " in word] == []  # the comments are not among them
