"""One person's page, and what admins do there."""

import pytest

from tests.auth.factories import PASSWORD, find_person, make_customer, sign_in, token_pair
from tests.notify.factories import make_notification
from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.desk.shop_floor import ordered


def role_of(person_id: int) -> str:
    person = find_person(person_id)
    assert person is not None
    return person.role


def is_active(person_id: int) -> bool:
    person = find_person(person_id)
    return person is not None and person.is_active


def test_page_shows_contact_orders_messages_and_consents(desk: Browser, customer: Caller, soap: int) -> None:
    order = ordered(customer, {soap: 1})
    make_notification(customer_id=customer.person.id, status="failed", body="secret body")
    page = words_in(desk.get(f"/admin/customers/{customer.person.id}"))
    assert order["number"] in page
    assert "Order placed Failed" in page
    assert "by SMS: no, by e-mail: no" in page
    assert str(customer.person.email) in page


def test_somebody_who_is_not_there_is_404(desk: Browser) -> None:
    assert desk.get("/admin/customers/999999").status_code == 404
    form = {"role": "staff", "is_active": "false"}
    for action in ("role", "active", "resend-verification", "sign-out", "second-factor", "delete"):
        assert desk.post(f"/admin/customers/999999/{action}", form).status_code == 404, action


def test_role_is_changed_and_noted(desk: Browser, admin: Caller, run_sql: Sql) -> None:
    person = make_customer("Peter", is_email_verified=True)
    pair = token_pair(person)
    answer = desk.post(f"/admin/customers/{person.id}/role", {"role": "staff"})
    assert answer.status_code == 303
    assert role_of(person.id) == "staff"
    assert "Peter is now: Staff." in words_in(desk.get(answer.location))
    [entry] = run_sql("SELECT actor_id, action, subject_type, subject_id, details FROM audit_log")
    details = {"fields": ["role"], "role": "staff"}
    assert entry == (admin.person.id, "desk_people.set_role", "customer", person.id, details)
    desk.client.set_cookie("access", pair.access_token)
    desk.client.delete_cookie("refresh")
    assert desk.get("/admin/").status_code == 303  # their sign-ins are over


@pytest.mark.parametrize("role", ["", "king", "ADMIN", "<script>"])
def test_made_up_roles_change_nothing(desk: Browser, role: str) -> None:
    person = make_customer(is_email_verified=True)
    answer = desk.post(f"/admin/customers/{person.id}/role", {"role": role})
    assert "Choose a role from the list." in words_in(desk.get(answer.location))
    assert role_of(person.id) == "customer"


def test_account_that_nobody_proved_gets_no_higher_role(desk: Browser) -> None:
    person = make_customer()
    answer = desk.post(f"/admin/customers/{person.id}/role", {"role": "admin"})
    assert "Nobody has confirmed the e-mail address or phone of this account yet." in words_in(
        desk.get(answer.location)
    )
    assert role_of(person.id) == "customer"


def test_last_admin_stays(desk: Browser, admin: Caller) -> None:
    own = f"/admin/customers/{admin.person.id}"
    message = "This is the last admin of the shop. Make somebody else an admin first."
    for action, form in (("role", {"role": "customer"}), ("active", {"is_active": "false"})):
        desk.post(f"{own}/{action}", form)
        assert message in words_in(desk.get(own))
    assert find_person(admin.person.id) == admin.person


def test_own_demotion_with_another_admin_signs_out(desk: Browser, admin: Caller) -> None:
    make_customer(role="admin")
    answer = desk.post(f"/admin/customers/{admin.person.id}/role", {"role": "customer"})
    assert role_of(admin.person.id) == "customer"
    assert desk.get(answer.location).location.startswith("/sign-in")


def test_deleting_oneself_is_refused(desk: Browser, admin: Caller) -> None:
    make_customer(role="admin")
    page = desk.post(f"/admin/customers/{admin.person.id}/delete", {"is_sure": "1"})
    assert page.status_code == 422
    assert "This is your own account. Do that under “Account”." in words_in(page)
    assert find_person(admin.person.id) is not None


def test_blocking_and_unblocking(desk: Browser) -> None:
    person = make_customer("Peter")
    pair = token_pair(person)
    answer = desk.post(f"/admin/customers/{person.id}/active", {"is_active": "false"})
    assert not is_active(person.id)
    page = words_in(desk.get(answer.location))
    assert "Peter cannot sign in any more, and was signed out everywhere." in page
    assert "Blocked" in page
    assert desk.client.get("/auth/me", headers={"Authorization": f"Bearer {pair.access_token}"}).status_code == 401
    desk.post(f"/admin/customers/{person.id}/active", {"is_active": "true"})
    assert is_active(person.id)


def test_signing_out_on_all_devices(desk: Browser) -> None:
    person, other = make_customer(), make_customer()
    headers, others = sign_in(person), sign_in(other)
    answer = desk.post(f"/admin/customers/{person.id}/sign-out")
    assert "Signed out on all devices." in words_in(desk.get(answer.location))
    assert desk.client.get("/auth/me", headers=headers).status_code == 401
    assert desk.client.get("/auth/me", headers=others).status_code == 200


def test_confirmation_is_sent_again(desk: Browser, run_sql: Sql) -> None:
    person = make_customer(password=None)
    desk.post(f"/admin/customers/{person.id}/resend-verification")
    assert run_sql("SELECT event, customer_id FROM notifications") == [("invitation", person.id)]
    proved = make_customer(is_email_verified=True)
    answer = desk.post(f"/admin/customers/{proved.id}/resend-verification")
    assert "All is confirmed already." in words_in(desk.get(answer.location))
    assert run_sql("SELECT count(*) FROM notifications") == [(1,)]


def test_second_factor_goes_with_the_admins_password(desk: Browser, run_sql: Sql) -> None:
    person = make_customer("Peter", role="staff")
    run_sql("INSERT INTO second_factors (customer_id, secret, confirmed_at) VALUES (:id, '', now())", id=person.id)
    path = f"/admin/customers/{person.id}/second-factor"
    for password, message in (("", "Write your own password to confirm this."), ("wrong", "The password is wrong.")):
        page = desk.post(path, {"password": password})
        assert page.status_code == 422
        assert message in words_in(page)
        assert password == "" or f'value="{password}"' not in page.text
    assert run_sql("SELECT count(*) FROM second_factors") == [(1,)]
    answer = desk.post(path, {"password": PASSWORD})
    assert "The second factor is off. Peter was signed out everywhere, and told." in words_in(desk.get(answer.location))
    assert run_sql("SELECT count(*) FROM second_factors") == [(0,)]


def test_deleting_needs_a_tick_and_takes_all(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    ordered(customer, {soap: 1})
    path = f"/admin/customers/{customer.person.id}/delete"
    assert "Nobody can take this back." in words_in(desk.get(path))
    page = desk.post(path)
    assert (page.status_code, "Tick this to go on." in words_in(page)) == (422, True)
    assert find_person(customer.person.id) is not None
    answer = desk.post(path, {"is_sure": "1"})
    assert answer.location == "/admin/customers"
    assert find_person(customer.person.id) is None
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]


def test_nobody_with_an_order_on_its_way_is_deleted(
    desk: Browser, customer: Caller, staff: Caller, soap: int, run_sql: Sql
) -> None:
    order = ordered(customer, {soap: 1})
    run_sql("UPDATE orders SET status = 'shipped' WHERE id = :id", id=order["id"])
    path = f"/admin/customers/{customer.person.id}/delete"
    assert f"Order {order['number']} is on its way." in words_in(desk.get(path))
    page = desk.post(path, {"is_sure": "1"})
    assert page.status_code == 422
    assert "An order of this person is on its way." in words_in(page)
    assert find_person(customer.person.id) is not None


@pytest.mark.parametrize("value", ["", "0", "no", "False"])
def test_form_without_an_answer_blocks_nobody(desk: Browser, value: str) -> None:
    person = make_customer()
    desk.post(f"/admin/customers/{person.id}/active", {"is_active": value})
    assert is_active(person.id)
