"""The lists of customers and staff, and making accounts for others."""

import pytest

from tests.auth.factories import make_customer
from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser, Sql, words_in

MISCHIEF = "<script>alert(1)</script>"


@pytest.mark.parametrize("q", ["wanj", "0712 345", "WANJIKU@"])
def test_people_are_found_by_name_phone_and_email(desk: Browser, q: str) -> None:
    make_customer("Wanjiku Kamau", "wanjiku@example.com", phone="+254712345678")
    make_customer("Brian Kiprop", "brian@example.com", phone="+254733999999")
    page = words_in(desk.get("/admin/customers", query_string={"q": q}))
    assert "Wanjiku Kamau" in page
    assert "Brian Kiprop" not in page


def test_filters_for_role_and_access(desk: Browser) -> None:
    make_customer("Blocked One", is_active=False)
    make_customer("Picker", role="staff")
    make_customer("Open One")
    blocked = words_in(desk.get("/admin/customers?is_active=false"))
    assert ("Blocked One" in blocked, "Open One" in blocked, "Picker" in blocked) == (True, False, False)
    staff = words_in(desk.get("/admin/customers?role=staff"))
    assert ("Picker" in staff, "Open One" in staff) == (True, False)
    assert "Nobody found." in words_in(desk.get("/admin/customers?q=zzz"))


def test_list_comes_page_by_page(desk: Browser) -> None:
    for number in range(1, 4):
        make_customer(f"Person {number}")
    first = desk.get("/admin/customers?limit=2&role=customer")
    assert "Person 3" in first.text
    assert "Person 1" not in first.text
    link = first.text.partition('aria-label="Pages"')[2].partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    second = desk.get(link)
    assert "Person 1" in second.text
    assert "Person 2" not in second.text
    assert "First page" in second.text


def test_names_are_escaped_everywhere(desk: Browser) -> None:
    person = make_customer(MISCHIEF, role="staff")
    for path in ("/admin/customers", "/admin/staff", f"/admin/customers/{person.id}", "/admin/audit/"):
        page = desk.get(path).text
        assert MISCHIEF not in page
    assert "&lt;script&gt;alert(1)" in desk.get("/admin/staff").text
    assert MISCHIEF not in desk.get("/admin/customers", query_string={"q": f'"{MISCHIEF}'}).text


def test_staff_are_shown_with_role_factor_and_last_sign_in(desk: Browser, admin: Caller, run_sql: Sql) -> None:
    picker = make_customer("Peter Picker", role="staff")
    run_sql("INSERT INTO second_factors (customer_id, secret, confirmed_at) VALUES (:id, '', now())", id=picker.id)
    run_sql(
        "INSERT INTO audit_log (at, actor_role, action, subject_type, subject_id)"
        " VALUES ('2026-03-02T08:15Z', 'staff', 'signed_in', 'customer', :id)",
        id=picker.id,
    )
    make_customer("Only Customer")
    page = words_in(desk.get("/admin/staff"))
    assert "Peter Picker Staff Second factor on" in page
    assert "last signed in 2 Mar 2026, 11:15" in page
    assert "Admin No second factor" in page
    assert "Only Customer" not in page


def test_somebody_is_invited_by_email(desk: Browser, run_sql: Sql) -> None:
    desk.get("/admin/staff/new")
    answer = desk.post("/admin/staff/new", {"name": "Otieno", "email": "Otieno@shop.example", "role": "staff"})
    [(person_id, role)] = run_sql("SELECT id, role FROM customers WHERE email = 'otieno@shop.example'")
    assert (answer.status_code, answer.location) == (303, f"/admin/customers/{person_id}")
    assert role == "staff"
    assert run_sql("SELECT event, recipient FROM notifications") == [("invitation", "otieno@shop.example")]
    assert "Otieno has an account, and an e-mail that tells how to get in." in words_in(desk.get(answer.location))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"email": "a@example.com"}, "Please fill this in."),
        ({"name": "A"}, "Write an e-mail address, such as amina@example.com, or a phone number."),
        ({"name": "A", "email": "nonsense"}, "Write an e-mail address, such as amina@example.com, or a phone number."),
        ({"name": "A", "phone": "12"}, "Write the number of a mobile phone, such as 0712 345 678."),
        ({"name": "A", "phone": "020 2345678"}, "Write the number of a mobile phone, such as 0712 345 678."),
        ({"name": "A" * 201, "email": "a@example.com"}, "Write a name, in no more than 200 characters."),
        ({"name": "A", "email": "a@example.com", "role": "king"}, "Choose a role from the list."),
        ({"name": "A", "email": "known@example.com"}, "There is an account with this e-mail address already."),
        ({"name": "A", "phone": "0712345678"}, "There is an account that signs in with this phone number already."),
    ],
)
def test_what_cannot_be_invited_is_said(desk: Browser, run_sql: Sql, form: dict[str, str], message: str) -> None:
    make_customer(email="known@example.com", phone="+254712345678", is_phone_verified=True)
    before = run_sql("SELECT count(*) FROM customers")
    page = desk.post("/admin/customers/new", form)
    assert page.status_code == 422
    assert words_in(page).count(message) == 2  # in the summary, and beside the field
    assert "<title>Error: " in page.text
    assert run_sql("SELECT count(*) FROM customers") == before
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]
