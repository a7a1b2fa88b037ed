"""Who picks what is courtesy: kept while Redis is there, forgotten without harm when it is not."""

from flask import Flask

from grocery.orders.desk.claims import Claims
from tests.valkey_process import ValkeyProcess


def test_last_claim_counts(valkey: ValkeyProcess) -> None:
    claims = Claims(lambda: valkey.url)
    assert claims.read() == {}
    assert claims.claim([1, 2], 7)
    assert claims.claim([2], 8)
    assert claims.read() == {1: 7, 2: 8}


def test_without_redis_nobody_is_named(app: Flask, valkey: ValkeyProcess) -> None:
    claims = Claims(lambda: valkey.url)
    claims.claim([1], 7)
    valkey.stop()
    assert claims.read() == {}
    assert not claims.claim([1], 8)
