"""SECRET_KEY replaced by way of SECRET_KEY_FALLBACKS: older keys verify, removed ones do not; none of them signs."""

from collections.abc import Callable

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from grocery.auth.codes import store
from grocery.auth.codes.errors import InvalidCodeError
from grocery.auth.codes.secrets import CODE_TRIES
from grocery.auth.entering import fingerprint, recall_account
from grocery.auth.errors import InvalidCredentialsError
from grocery.auth.service import Account, check_password
from grocery.db import transaction
from grocery.errors import TooManyRequestsError
from grocery.keys import is_made_by_any, keys_of
from grocery.limits import Limiter
from grocery.notify.links import LinkNotFoundError, make_unsubscribe_token, read_unsubscribe_token
from grocery.orders.cart.tokens import is_genuine
from grocery.orders.cart.tokens import make_token as make_cart_token
from grocery.orders.tracking.errors import LinkNotFoundError as OrderLinkNotFoundError
from grocery.orders.tracking.links import make_token, read_token
from grocery.storefront.account.steps import SIGNING_IN, keep_step, read_step
from grocery.tickets import TicketError, make_ticket, read_ticket
from tests.auth.codes.conftest import PHONE, wrong
from tests.auth.factories import PASSWORD, make_customer
from tests.storefront.conftest import Browser
from tests.valkey_process import ValkeyProcess

OLD, NEW, THIRD = "an-old-key-of-the-tests-0123456789abcdef", "a-new-key-of-the-tests-0123456789abcdef", "x" * 32

UseKeys = Callable[..., None]


@pytest.fixture
def use(app: Flask, context: None, monkeypatch: pytest.MonkeyPatch) -> UseKeys:
    """Gives the app these keys: the one that signs, and the older ones."""

    def use_keys(signing: str, *older: str) -> None:
        monkeypatch.setitem(app.config, "SECRET_KEY", signing)
        monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", older)

    return use_keys


def test_keys_are_tried_newest_first_and_not_shown(app: Flask, use: UseKeys) -> None:
    use(NEW, OLD, THIRD)
    keys = keys_of(app.config)
    assert (keys.signing, keys.newest_first, keys.oldest_first) == (NEW, (NEW, OLD, THIRD), [THIRD, OLD, NEW])
    assert repr(keys) == "Keys()"


@pytest.mark.parametrize("given", ["", "garbage", "é\udc80", pytest.param("x" * 1_000_000, id="huge")])
def test_a_token_is_made_once_for_each_key_at_most(given: str) -> None:
    tried: list[str] = []

    def make(key: str) -> str:
        tried.append(key)
        return key

    assert not is_made_by_any(given, make, (NEW, OLD))
    assert tried == [NEW, OLD]
    tried.clear()
    assert is_made_by_any(NEW, make, (NEW, OLD))
    assert tried == [NEW]


def test_tokens_of_an_older_key_hold_and_of_a_removed_one_do_not() -> None:
    """Of orders, carts and streams, each signed by one key and read with several."""
    assert read_token(make_token(7, OLD), NEW, OLD) == 7
    assert is_genuine(make_cart_token(OLD), NEW, OLD)
    assert read_ticket(make_ticket(OLD, 7, is_public=True), NEW, OLD).order_id == 7
    assert not is_genuine(make_cart_token(OLD), NEW, THIRD)
    with pytest.raises(OrderLinkNotFoundError):
        read_token(make_token(7, OLD), NEW, THIRD)
    with pytest.raises(TicketError):
        read_ticket(make_ticket(OLD, 7, is_public=True), NEW, THIRD)


@pytest.mark.parametrize("garbage", ["", ".", "é", "7-", "\udc80", pytest.param("x" * 1_000_000, id="huge")])
def test_garbage_is_refused_with_several_keys_as_with_one(garbage: str) -> None:
    for keys in ((NEW,), (NEW, OLD)):
        assert not is_genuine(garbage, *keys)
        with pytest.raises(OrderLinkNotFoundError):
            read_token(garbage, *keys)
        with pytest.raises(TicketError):
            read_ticket(garbage, *keys)


def test_a_fallback_never_signs(app: Flask, client: FlaskClient, use: UseKeys) -> None:
    use(NEW, OLD)
    cart = client.get("/cart").headers["X-Cart-Token"]
    assert is_genuine(cart, NEW)
    assert not is_genuine(cart, OLD)
    unsubscribe, person = make_unsubscribe_token("amina@example.com"), make_customer()
    account = Account(person.id, "a hash", better_hash=None)
    first, code_hashes = fingerprint(account), store.hash_code("sign_in", PHONE, "123456")
    use(NEW)
    assert read_unsubscribe_token(unsubscribe) == "amina@example.com"
    assert fingerprint(account) == first
    assert store.hash_code("sign_in", PHONE, "123456") == code_hashes[:1]
    use(OLD)
    with pytest.raises(LinkNotFoundError):
        read_unsubscribe_token(unsubscribe)


def test_two_orders_of_the_keys_take_what_the_other_made(client: FlaskClient, use: UseKeys) -> None:
    """Carts, codes, links to unsubscribe, fingerprints of passwords; without either key they end."""
    for made_with, read_with in (((OLD, NEW), (NEW, OLD)), ((NEW, OLD), (OLD, NEW))):
        use(*made_with)
        cart, unsubscribe = client.get("/cart").headers["X-Cart-Token"], make_unsubscribe_token("amina@example.com")
        person = make_customer()
        known = fingerprint(check_password(person.email or "", PASSWORD))
        with transaction():
            code = store.issue_requested_code("sign_in", PHONE)
        use(*read_with)
        assert client.get("/cart", headers={"X-Cart-Token": cart}).status_code == 200
        assert read_unsubscribe_token(unsubscribe) == "amina@example.com"
        assert recall_account(person.id, known).customer_id == person.id
        body = {"phone": PHONE, "code": code.secret, "request_token": code.request_token, "name": "Amina"}
        assert client.post("/auth/otp/login", json=body).status_code == 200
        use(THIRD)
        assert client.get("/cart", headers={"X-Cart-Token": cart}).status_code == 404
        with pytest.raises(InvalidCredentialsError):
            recall_account(person.id, known)


def test_a_token_in_a_mail_outlives_the_swap_and_not_the_removal(use: UseKeys) -> None:
    person = make_customer()
    use(OLD)
    with transaction():
        token = store.issue_token("verify_email", "new@example.com", person.id, store.CODE_LIFETIME).secret
    use(NEW)
    with pytest.raises(InvalidCodeError), transaction():
        store.use("verify_email", store.hash_token("verify_email", token), person.id)
    use(NEW, OLD)
    with transaction():
        assert store.use("verify_email", store.hash_token("verify_email", token), person.id) == "new@example.com"


def test_a_form_is_taken_by_either_order_and_not_without_its_key(client: FlaskClient, use: UseKeys) -> None:
    use(OLD, NEW)
    browser = Browser(client)
    browser.get("/sign-in/password")
    form = {"identifier": "nobody@example.com", "password": "wrong", "csrf_token": browser.csrf_token}
    use(NEW, OLD)
    assert client.post("/sign-in/password", data=form).status_code == 422
    use(NEW)
    assert client.post("/sign-in/password", data=form).status_code == 403


def test_tries_from_one_address_are_counted_under_both_keys(client: FlaskClient, use: UseKeys) -> None:
    use(OLD, NEW)
    with transaction():
        code = store.issue_requested_code("sign_in", PHONE).secret
    wrong = {"phone": PHONE, "code": f"{(int(code) + 1) % 1_000_000:06}"}
    tried = [client.post("/auth/otp/login", json=wrong).status_code for _ in range(CODE_TRIES)]
    assert tried == [401] * CODE_TRIES
    right = {"phone": PHONE, "code": code, "name": "Amina"}
    use(NEW, OLD)
    assert client.post("/auth/otp/login", json=right).status_code == 401
    elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
    assert client.post("/auth/otp/login", json=right, environ_overrides=elsewhere).status_code == 200


def test_a_step_of_a_sign_in_goes_on_with_either_order_and_not_without_its_key(app: Flask, use: UseKeys) -> None:
    use(OLD, NEW)
    with app.test_request_context():
        cookie = keep_step(Response(), SIGNING_IN, phone=PHONE).headers["Set-Cookie"].partition(";")[0]
    for keys, values in (((NEW, OLD), {"phone": PHONE}), ((NEW,), {}), ((NEW, THIRD), {})):
        use(*keys)
        with app.test_request_context(headers={"Cookie": cookie}):
            assert read_step(SIGNING_IN) == values


def test_an_address_has_no_more_tries_at_a_code_by_way_of_two_keys(client: FlaskClient, use: UseKeys) -> None:
    use(OLD, NEW)
    with transaction():
        issued = store.issue_requested_code("sign_in", PHONE)
    code = issued.secret
    for keys, tries in (((OLD, NEW), 3), ((NEW, OLD), 2)):
        use(*keys)
        for _ in range(tries):
            body = {"phone": PHONE, "code": wrong(code), "name": "Amina"}
            assert client.post("/auth/otp/login", json=body).status_code == 401
    body = {"phone": PHONE, "code": code, "name": "Amina"}
    assert client.post("/auth/otp/login", json=body).status_code == 401
    # The tries of who asked for it are known by a token of the older key, too.
    assert client.post("/auth/otp/login", json={**body, "request_token": issued.request_token}).status_code == 200


def test_processes_with_two_keys_count_tries_together(valkey: ValkeyProcess) -> None:
    """Through the whole rotation nobody gets a try more."""
    before, swapped = Limiter(lambda: valkey.url, OLD, (NEW,)), Limiter(lambda: valkey.url, NEW, (OLD,))
    for _ in range(3):
        before.hit("5/day", "login", "amina")
    for _ in range(2):
        swapped.hit("5/day", "login", "amina")
    for limiter in (before, swapped):
        with pytest.raises(TooManyRequestsError) as refused:
            limiter.check("5/day", "login", "amina")
        assert refused.value.retry_after_seconds > 60
    swapped.hit("5/day", "login", "juma")
    before.take_turn(60, "turn", "amina")
    with pytest.raises(TooManyRequestsError):
        swapped.take_turn(60, "turn", "amina")
    before.add(60, "failures", "amina")
    swapped.add(60, "failures", "amina")
    assert before.count("failures", "amina") == swapped.count("failures", "amina") == 2
