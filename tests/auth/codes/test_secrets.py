"""Codes, tokens and their hashes."""

import re

from grocery.auth.codes.secrets import hash_secret, make_code, make_token

KEY = "a key for tests"


def test_codes_are_six_digits_and_all_of_them_are_possible() -> None:
    codes = {make_code() for _ in range(2000)}
    assert all(re.fullmatch("[0-9]{6}", code) for code in codes)
    assert len(codes) > 1980
    assert {code[0] for code in codes} == set("0123456789")


def test_tokens_have_256_bits() -> None:
    tokens = {make_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[\w-]{43}", token, re.ASCII) for token in tokens)


def test_hash_holds_for_one_key_purpose_phone_and_code() -> None:
    known = hash_secret(KEY, "sign_in", "493027", "+254712345678")
    assert len(known) == 32
    assert known == hash_secret(KEY, "sign_in", "493027", "+254712345678")
    others = {
        hash_secret("another key", "sign_in", "493027", "+254712345678"),
        hash_secret(KEY, "verify_phone", "493027", "+254712345678"),
        hash_secret(KEY, "sign_in", "493028", "+254712345678"),
        hash_secret(KEY, "sign_in", "493027", "+254722000111"),
        hash_secret(KEY, "sign_in", "493027"),
    }
    assert len(others - {known}) == 5
