"""POST /products/import: what is taken, what is refused at once, what becomes of the rows."""

import gc
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.products.imports import staging, uploads
from grocery.queues import BULK, doorbell
from tests.products.factories import make_product
from tests.products.imports.conftest import Import, Send, work
from tests.products.ledger import movements_of, select_rows, unbalanced

GOOD = "sku,name,category,price,stock\nM,Milk,Dairy,65,3\nB,Bread,Bakery/Loaves,70.50,0\n"
COUNTS = ("rows", "created", "updated", "unchanged", "refused")


def counts(shown: dict[str, Any]) -> tuple[int, ...]:
    return tuple(shown[name] for name in COUNTS)


def products(*columns: str) -> list[tuple]:
    return select_rows(f"SELECT {', '.join(columns)} FROM products ORDER BY sku, id")


def stored() -> list[tuple]:
    return select_rows(
        "SELECT (SELECT count(*) FROM product_imports), (SELECT count(*) FROM import_parts),"
        " (SELECT count(*) FROM import_chunks)"
    )


@pytest.mark.parametrize(("form", "filename"), [(True, "products.csv"), (False, None)])
def test_a_file_is_taken_and_done_later(
    send: Send, client: FlaskClient, admin: dict[str, str], form: bool, filename: str | None
) -> None:
    answer = send(GOOD, form=form)
    assert answer.status_code == 202
    shown = answer.json
    assert answer.headers["Location"] == f"/imports/{shown['id']}"
    created_at = shown.pop("created_at")
    assert shown == {
        "id": shown["id"],
        "status": "waiting",
        "filename": filename,
        "dry_run": False,
        "strict": False,
        "percent": 0,
        **dict.fromkeys(COUNTS, 0),
        "is_applied": False,
        "ignored_columns": [],
        "error": None,
        "started_at": None,
        "finished_at": None,
        "refusals": [],
    }
    assert doorbell().depth(BULK) == 1
    assert products("sku") == []
    assert work() == 1
    done = client.get(answer.headers["Location"], headers=admin).json
    assert (done["status"], done["percent"], done["is_applied"], counts(done)) == ("done", 100, True, (2, 2, 0, 0, 0))
    assert created_at <= done["started_at"] <= done["finished_at"]
    assert products("sku", "name", "price_cents", "stock") == [("B", "Bread", 7050, 0), ("M", "Milk", 6500, 3)]
    assert stored() == [(1, 0, 0)]


@pytest.mark.parametrize("name", [b'filename="a\0b.csv"', b"filename*=UTF-8''a%00b.csv"])
def test_a_name_that_cannot_be_stored_is_stored_without_what_hinders(
    client: FlaskClient, admin: dict[str, str], name: bytes
) -> None:
    form = b'--cut\r\nContent-Disposition: form-data; name="file"; %s\r\n\r\n%s\r\n--cut--\r\n' % (name, GOOD.encode())
    answer = client.post("/products/import", data=form, content_type="multipart/form-data; boundary=cut", headers=admin)
    assert (answer.status_code, answer.json["filename"]) == (202, "ab.csv")


def test_the_opening_stock_is_noted_with_the_one_who_sent_the_file(run_import: Import) -> None:
    run_import(GOOD)
    [[milk]] = select_rows("SELECT id FROM products WHERE sku = 'M'")
    assert movements_of(milk) == [(3, "opening", None)]
    assert select_rows("SELECT role FROM stock_movements m JOIN customers c ON c.id = m.actor_id") == [("admin",)]
    assert unbalanced() == []


def test_251_good_and_7_bad_rows_are_reported_exactly(run_import: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    contents, bad = catalogue_with_bad_rows()
    shown = run_import(contents)
    assert counts(shown) == (258, 251, 0, 0, 7)
    assert [(one["row"], one["reason"]) for one in shown["refusals"]] == bad
    assert select_rows("SELECT count(*) FROM products") == [(251,)]
    assert counts(run_import(contents)) == (258, 0, 0, 251, 7)


def catalogue_with_bad_rows() -> tuple[str, list[tuple[int, str]]]:
    """A file with 251 good rows and 7 bad ones, and what is to be said of those."""
    amount = 'price: Must be an amount such as "149.00", with at most 2 decimals and not below zero.'
    rows = [f"S{number},Product {number},Food,{number}.50" for number in range(2, 260)]
    bad = {
        2: (",,Food,5", "name missing"),
        17: ("S17,Milk,Food,-1", amount),
        18: ("S18,Milk,Food", "has 3 cells, the header has 4"),
        99: ("S2000,=cmd|' /C calc'!A0,,5", "category missing"),
        100: ("S50,Twice,Food,5", "same SKU as row 50"),
        101: ("S101,Milk,Food,=1+1", amount),
        259: ("S259,Milk,Food,5,more", "has 5 cells, the header has 4"),
    }
    for number, (row, _) in bad.items():
        rows[number - 2] = row
    refusals = [(number, reason) for number, (_, reason) in bad.items()]
    return "\n".join(["sku,name,category,price", *rows]) + "\n", refusals


def test_options_are_query_arguments(run_import: Import) -> None:
    make_product("Dairy", sku="1", name="Milk", price_cents=60_00)
    contents = "index,product,group,part,price,colour\n1,Milk,Dairy,,65,white\n2,Bread,Bakery,Loaves,70,brown\n"
    options = {"map": "sku=index,name=product,category=group/part"}
    shown = run_import(contents, dry_run="true", **options)
    assert (shown["status"], shown["dry_run"], shown["is_applied"]) == ("done", True, False)
    assert (counts(shown), shown["ignored_columns"]) == ((2, 1, 1, 0, 0), ["colour"])
    assert products("sku", "price_cents") == [("1", 6000)]
    shown = run_import(contents, **options)
    assert (counts(shown), shown["is_applied"]) == ((2, 1, 1, 0, 0), True)
    assert products("sku", "price_cents") == [("1", 6500), ("2", 7000)]


def test_spreadsheets_of_other_countries_are_understood(run_import: Import) -> None:
    shown = run_import("\ufeffSKU;Name;Category;Price\r\nU;Unga;Flour;149,50\r\n;;;\r\n")
    assert (counts(shown), shown["refusals"]) == ((1, 1, 0, 0, 0), [])
    assert products("sku", "price_cents") == [("U", 149_50)]


def test_an_apostrophe_before_a_formula_is_taken_away(run_import: Import) -> None:
    run_import("sku,name,category,price\nA,'=Equals,Food,5\nB,''@At,Food,5\nC,'Quoted',Food,5\nD,=Bare,Food,5\n")
    assert products("name") == [("=Equals",), ("'@At",), ("'Quoted'",), ("=Bare",)]


@pytest.mark.parametrize("form", [True, False])
@pytest.mark.parametrize(
    ("contents", "detail"),
    [
        (b"", "The first row must have the names of the columns; it is empty."),
        (b"name,price\nMilk,65\n", "The file has no column category; it has: name, price."),
        ("name,category,price\nCafé,Dairy,65\n".encode("latin-1"), "The file is not UTF-8 (line 2)."),
        (b"name,category,price,x\0\nMilk,Dairy,65,\n", "The first row has a NUL character."),
        (b'name,category,price\nMilk,Dairy,65\n"Open,Dairy,65\n', "A quote opened in row 3 is never closed."),
        (b"name,category,price\nMilk," + b"x" * 1_100_000 + b",65\n", "Row 2 is longer than 1024 KiB."),
        (b"name,category,price\nMilk," + b",\n" * 10 + b"x" * 1_100_000, "Row 12 is longer than 1024 KiB."),
        (b"name,category,price\nMilk" + b',"x\ny"' * 200_000 + b"\n", "Row 2 is longer than 1024 KiB."),
        (
            b'name,category,price\nMilk,"' + b"x\n" * 70_000,
            "Row 2 cannot be read: field larger than field limit (131072). Is",
        ),
        (b'"a\nb', "A quote opened in row 1 is never closed."),
    ],
)
def test_an_unusable_file_is_refused_at_once_and_not_kept(send: Send, contents: bytes, detail: str, form: bool) -> None:
    answer = send(contents, form=form)
    assert (answer.status_code, answer.json["code"]) == (422, "bad_file")
    assert answer.json["detail"].startswith(detail)
    assert stored() == [(0, 0, 0)]
    assert doorbell().depth(BULK) == 0


@pytest.mark.parametrize(
    ("options", "field"),
    [({"map": "sku"}, "map"), ({"map": "colour=x"}, "map"), ({"dry_run": "maybe"}, "dry_run"), ({"fast": "1"}, "fast")],
)
def test_options_that_make_no_sense_are_refused(send: Send, options: dict[str, str], field: str) -> None:
    answer = send(GOOD, **options)
    assert (answer.status_code, answer.json["code"], list(answer.json["errors"])) == (422, "validation_failed", [field])
    assert stored() == [(0, 0, 0)]


def test_a_mapped_column_must_be_there(send: Send) -> None:
    answer = send(GOOD, map="brand=maker")
    assert (answer.status_code, answer.json["code"]) == (422, "bad_file")
    assert answer.json["detail"] == "The file has no column maker; it has: sku, name, category, price, stock."


def test_only_csv_and_forms_are_taken(client: FlaskClient, admin: dict[str, str]) -> None:
    for content_type in ("application/json", "application/octet-stream", None):
        answer = client.post("/products/import?fast=1", data=b"{}", content_type=content_type, headers=admin)
        assert answer.status_code == 415, content_type
    answer = client.post("/products/import", data={"datei": "x"}, headers=admin, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["errors"]) == (422, {"file": ["Must be a CSV file."]})
    answer = client.post(
        "/products/import", data=b"--cut off", headers=admin, content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code == 422
    assert stored() == [(0, 0, 0)]


def test_a_file_above_the_limit_is_refused(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(GOOD) < 100
    monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 100)
    assert send(GOOD).status_code == 202
    for form in (True, False):
        assert send(GOOD + "x" * 100, form=form).status_code == 413
    assert stored() == [(1, 1, 0)]


def test_files_with_more_than_a_megabyte_are_taken_here_and_nowhere_else(
    send: Send, client: FlaskClient, admin: dict[str, str]
) -> None:
    contents = GOOD + f"{' ' * 999}\n" * 1500
    assert send(contents).status_code == 202
    assert client.post("/products/", data=contents, headers=admin).status_code == 413
    assert select_rows("SELECT count(*), sum(length(content)) FROM import_parts") == [(6, len(contents))]


@pytest.mark.parametrize(("options", "limit"), [({}, "MAX_ROWS"), ({"strict": "true"}, "MAX_STRICT_ROWS")])
def test_more_rows_than_can_be_done_are_refused(
    send: Send, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], limit: str
) -> None:
    monkeypatch.setattr(staging, limit, 2)
    assert send(GOOD, **options).status_code == 202
    answer = send(GOOD + "C,Cream,Dairy,90,1\n", **options)
    assert (answer.status_code, answer.json["code"], answer.json["max_rows"]) == (422, "too_many_rows", 2)
    assert "flask products import" in answer.json["detail"]


def test_imports_are_for_admins(client: FlaskClient, staff: dict[str, str], send: Send) -> None:
    import_id = send(GOOD).json["id"]
    for method, path in (
        ("POST", "/products/import"),
        ("GET", "/imports/"),
        ("GET", f"/imports/{import_id}"),
        ("GET", f"/imports/{import_id}/refusals"),
        ("POST", f"/imports/{import_id}/cancel"),
    ):
        assert client.open(path, method=method, data=b"x").status_code == 401
        assert client.open(path, method=method, data=b"x", headers=staff).status_code == 403
    assert stored() == [(1, 1, 0)]


# Reading


def test_imports_are_listed_newest_first(send: Send, client: FlaskClient, admin: dict[str, str]) -> None:
    ids = [send(GOOD).json["id"] for _ in range(3)]
    first = client.get("/imports/?limit=2", headers=admin)
    assert [one["id"] for one in first.json] == [ids[2], ids[1]]
    assert "refusals" not in first.json[0]
    second = client.get(first.headers["Link"].split(">")[0][1:], headers=admin)
    assert [one["id"] for one in second.json] == [ids[0]]
    assert "Link" not in second.headers
    assert client.get("/imports/?cursor=x", headers=admin).json["code"] == "bad_cursor"


def test_all_refusals_are_read_page_by_page(run_import: Import, client: FlaskClient, admin: dict[str, str]) -> None:
    contents = "name,category,price\n" + ",Food,5\n" * 130
    shown = run_import(contents)
    assert [one["row"] for one in shown["refusals"]] == list(range(2, 102))
    path, rows = f"/imports/{shown['id']}/refusals?limit=50", []
    while path:
        page = client.get(path, headers=admin)
        rows += [one["row"] for one in page.json]
        path = page.headers["Link"].split(">")[0][1:] if "Link" in page.headers else ""
    assert rows == list(range(2, 132))


def test_what_is_not_there_is_404(client: FlaskClient, admin: dict[str, str]) -> None:
    for method, path in (
        ("GET", "/imports/1"),
        ("GET", "/imports/1/refusals"),
        ("GET", "/imports/1/refusals?limit=0"),
        ("POST", "/imports/1/cancel"),
    ):
        assert client.open(path, method=method, headers=admin).status_code == 404, path


# Werkzeug leaves the closing of a form that it gave up to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_form_without_a_length_is_taken_whole_or_not_at_all(
    client: FlaskClient, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent in chunks, of which a form has an end of its own."""
    form = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n%s\r\n--cut--\r\n'

    def post(body: bytes) -> int:
        return post_stream(client, admin, body, "multipart/form-data; boundary=cut").status_code

    monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 1000)
    assert post(form % GOOD.encode()) == 202
    assert post(form % (GOOD + "\n" * 2000).encode()) == 413
    assert post((form % GOOD.encode())[:-10]) == 422
    gc.collect()
    assert stored() == [(1, 1, 0)]


def test_csv_that_may_have_broken_off_is_refused(client: FlaskClient, admin: dict[str, str]) -> None:
    """A server ends the body of a sender that was lost as if it were whole."""
    whole = GOOD.encode()
    for body, length, status in ((whole, None, 411), (whole[:-4], len(whole), 400)):
        answer = post_stream(client, admin, body, "text/csv", length)
        assert (answer.status_code, answer.json["status"]) == (status, status)
    assert stored() == [(0, 0, 0)]
    assert post_stream(client, admin, whole, "text/csv", len(whole)).status_code == 202


def post_stream(
    client: FlaskClient, admin: dict[str, str], body: bytes, kind: str, length: int | None = None
) -> TestResponse:
    """Send a body as granian hands it on: it ends where nothing more comes."""
    return client.post(
        "/products/import",
        input_stream=BytesIO(body),
        content_type=kind,
        headers=admin if length else {**admin, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": str(length or "")},
    )
