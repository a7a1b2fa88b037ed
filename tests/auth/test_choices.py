"""How messages may come: language, ways, and offers."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.auth.subscribers import count_subscribers, find_subscribers
from grocery.db import transaction
from grocery.notify.extension import Subscriber
from grocery.notify.hooks import marketing_chosen
from tests.auth.factories import find_person, make_customer, sign_in

PHONE = "+254712345678"


def choices_of(person_id: int) -> tuple[Any, ...]:
    person = find_person(person_id)
    assert person is not None
    return person.language, person.notify_by, person.marketing_sms, person.marketing_email


def subscribers(channel: str, after_id: int = 0, limit: int = 100) -> list[Subscriber]:
    with transaction():
        return list(find_subscribers(channel, after_id, limit))


def test_nobody_wants_offers_who_has_not_said_so(client: FlaskClient) -> None:
    person = make_customer(phone=PHONE)

    assert choices_of(person.id) == (None, "sms_and_email", False, False)
    assert subscribers("sms") == subscribers("email") == []


def test_choices_are_changed_and_shown(client: FlaskClient) -> None:
    person = make_customer(phone=PHONE)
    wish = {"language": "sw", "notify_by": "sms", "marketing_sms": True, "marketing_email": True}

    response = client.patch("/auth/me", json=wish, headers=sign_in(person))

    assert response.status_code == 200
    assert response.json | wish == response.json
    assert choices_of(person.id) == ("sw", "sms", True, True)
    assert subscribers("sms") == [Subscriber(person.id, PHONE, "sw")]
    assert subscribers("email") == [Subscriber(person.id, person.email or "", "sw")]
    assert (count_subscribers("sms"), count_subscribers("email")) == (1, 1)


def test_choices_are_made_at_registration(client: FlaskClient) -> None:
    body = {
        "name": "Amina",
        "email": "amina@example.com",
        "password": "correct horse battery",
        "phone": PHONE,
        "language": "sw",
        "marketing_sms": True,
    }
    response = client.post("/auth/register", json=body)

    assert response.status_code == 201
    assert choices_of(response.json["id"]) == ("sw", "sms_and_email", True, False)


@pytest.mark.parametrize("wish", [{"notify_by": "sms"}, {"marketing_sms": True}])
def test_choice_without_an_address_is_refused_and_changes_nothing(client: FlaskClient, wish: dict[str, Any]) -> None:
    person = make_customer(phone=None)

    response = client.patch("/auth/me", json={"language": "sw", **wish}, headers=sign_in(person))

    assert (response.status_code, response.json["errors"]) == (422, {next(iter(wish)): ["Needs a phone number."]})
    assert choices_of(person.id) == (None, "sms_and_email", False, False)


def test_offers_by_sms_need_a_phone_at_registration_too(client: FlaskClient) -> None:
    body = {"name": "A", "email": "a@example.com", "password": "correct horse battery", "marketing_sms": True}

    response = client.post("/auth/register", json=body)

    assert (response.status_code, list(response.json["errors"])) == (422, ["marketing_sms"])


@pytest.mark.parametrize("wish", [{"language": "fr"}, {"notify_by": "pigeon"}, {"marketing_sms": "yes"}])
def test_unknown_choices_are_refused(client: FlaskClient, wish: dict[str, Any]) -> None:
    person = make_customer(phone=PHONE)

    assert client.patch("/auth/me", json=wish, headers=sign_in(person)).status_code == 422
    assert choices_of(person.id) == (None, "sms_and_email", False, False)


def test_another_number_gets_no_offers_unless_that_is_said_anew(client: FlaskClient) -> None:
    person = make_customer(phone=PHONE)
    headers = sign_in(person)
    client.patch("/auth/me", json={"marketing_sms": True, "notify_by": "sms"}, headers=headers)

    client.patch("/auth/me", json={"phone": "+254722000111"}, headers=headers)
    assert choices_of(person.id) == (None, "sms", False, False)

    client.patch("/auth/me", json={"phone": PHONE, "marketing_sms": True}, headers=headers)
    assert choices_of(person.id) == (None, "sms", True, False)


def test_without_a_phone_news_come_by_email(client: FlaskClient) -> None:
    person = make_customer(phone=PHONE)
    headers = sign_in(person)
    client.patch("/auth/me", json={"marketing_sms": True, "notify_by": "sms"}, headers=headers)

    client.patch("/auth/me", json={"phone": None}, headers=headers)

    assert choices_of(person.id) == (None, "sms_and_email", False, False)


def test_the_holder_of_an_address_speaks_for_all_accounts_with_it(client: FlaskClient) -> None:
    first, second, other = (make_customer(phone=phone) for phone in (PHONE, PHONE, "+254722000111"))
    for person in (first, second, other):
        client.patch("/auth/me", json={"marketing_sms": True, "marketing_email": True}, headers=sign_in(person))

    with transaction():
        marketing_chosen.send(channel="sms", address=PHONE, is_wanted=False)
    with transaction():
        marketing_chosen.send(channel="email", address=other.email, is_wanted=False)

    assert [choices_of(person.id)[2:] for person in (first, second, other)] == [
        (False, True),
        (False, True),
        (True, False),
    ]


def test_subscribers_come_in_pages_without_deactivated_ones(client: FlaskClient) -> None:
    people = [make_customer(is_active=number != 1) for number in range(4)]
    for person in people:
        with transaction():
            marketing_chosen.send(channel="email", address=person.email, is_wanted=True)

    first = subscribers("email", limit=2)
    second = subscribers("email", after_id=first[-1].customer_id, limit=2)

    assert [one.customer_id for one in first + second] == [people[0].id, people[2].id, people[3].id]
    assert count_subscribers("email") == 3
