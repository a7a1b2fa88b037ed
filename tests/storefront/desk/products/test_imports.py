"""Import: tried first, applied from the same file, watched, and its refusals as a file; export."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from grocery.products.imports.jobs import forget_old_imports
from tests.products.factories import make_product
from tests.products.imports.conftest import work
from tests.storefront.conftest import Browser, Sql
from tests.storefront.conftest import words_in as text_of

HEADER = "sku,name,category,price,stock\n"
FILE = HEADER + "A-1,Apples,Fruit,20.00,5\nB-1,<script>alert(1)</script>,Fruit,30,1\nC-1,Cherries,Fruit,=1+1,1\n"


def send(boss: Browser, content: str | bytes, name: str = "goods.csv", **fields: str) -> TestResponse:
    boss.get("/admin/products/import")
    data = content if isinstance(content, bytes) else content.encode()
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in {"csrf_token": boss.csrf_token, **fields}.items()
    ]
    head = f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = b"".join(parts) + head + data + b"\r\n--cut--\r\n"
    kind = "multipart/form-data; boundary=cut"
    return boss.client.post("/admin/products/import", data=body, content_type=kind)


def products(run_sql: Sql) -> list[Any]:
    return [row[0] for row in run_sql("SELECT sku FROM products ORDER BY sku")]


def test_nothing_is_written_until_it_was_seen(boss: Browser, run_sql: Sql) -> None:
    address = send(boss, FILE).location
    assert "waiting for its turn" in boss.get(address).text
    work()
    page = boss.get(address)
    assert "Try: done 2 new 0 changed 0 as they were 1 refused Nothing is written yet." in text_of(page)
    assert products(run_sql) == []
    applied = boss.post(f"{address}/apply").location
    assert applied != address
    work()
    after = text_of(boss.get(applied))
    assert "Import: done 2 new 0 changed 0 as they were 1 refused The products are in the shop." in after
    assert products(run_sql) == ["A-1", "B-1"]
    assert run_sql("SELECT count(*) FROM import_parts") == [(0,)]


def test_what_was_tried_is_applied_once(boss: Browser, run_sql: Sql) -> None:
    address = send(boss, FILE).location
    assert boss.post(f"{address}/apply").location == "/admin/products/import"  # not tried to its end yet
    work()
    first, second = boss.post(f"{address}/apply"), boss.post(f"{address}/apply")
    assert first.location != second.location == "/admin/products/import"
    assert "was imported already" in text_of(boss.get("/admin/products/import"))
    assert run_sql("SELECT count(*) FROM product_imports WHERE NOT dry_run") == [(1,)]
    assert boss.post("/admin/products/imports/999999/apply").status_code == 404


def test_files_that_were_only_tried_go_after_a_day(boss: Browser, run_sql: Sql) -> None:
    address = send(boss, FILE).location
    work()
    forget_old_imports()
    assert run_sql("SELECT count(*) FROM import_parts") == [(1,)]
    run_sql("UPDATE product_imports SET finished_at = now() - interval '25 hours'")
    forget_old_imports()
    assert run_sql("SELECT count(*) FROM import_parts") == [(0,)]
    assert "tried too long ago" in boss.get(address).text
    boss.post(f"{address}/apply")
    assert run_sql("SELECT count(*) FROM product_imports") == [(1,)]


def test_all_or_none_with_a_refused_row_cannot_be_applied(boss: Browser, run_sql: Sql) -> None:
    address = send(boss, FILE, strict="1").location
    work()
    page = boss.get(address)
    assert "Mend the file and send it again." in page.text
    assert "/apply" not in page.text


def test_the_script_gets_only_what_changes(boss: Browser) -> None:
    address = send(boss, FILE).location
    waiting = boss.get(address, headers={"X-Parts": "1"})
    assert waiting.headers["X-Parts"] == "1"
    assert f'data-refresh="{address}"' in waiting.text
    assert "<html" not in waiting.text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in boss.get(address).text
    work()
    done = boss.get(address, headers={"X-Parts": "1"}).text
    assert "data-refresh" not in done


def test_names_and_cells_of_the_file_stay_text(boss: Browser) -> None:
    address = send(boss, HEADER + "=cmd|x,<b>Bold</b>,Fruit,oops<i>,1\n", name="<img src=x>.csv").location
    work()
    for page in (boss.get(address), boss.get("/admin/products/import")):
        assert "<img src=x>" not in page.text
        assert "<i>" not in page.text
        assert "&lt;img src=x&gt;.csv" in page.text


def test_refused_rows_are_a_file_that_no_spreadsheet_runs(boss: Browser, run_sql: Sql) -> None:
    address = send(boss, FILE).location
    work()
    run_sql("UPDATE import_refusals SET reason = '=1+1'")
    answer = boss.get(f"{address}/refused.csv")
    assert answer.mimetype == "text/csv"
    assert answer.text.splitlines() == ["row,reason", "4,'=1+1"]
    assert boss.get("/admin/products/imports/999999/refused.csv").status_code == 404


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "file"), (b"\xff\xfe\x00", "UTF-8"), (b"name,price\nA,1\n", "category"), (b"\x89PNG\r\n\x1a\n", "")],
)
def test_what_is_no_catalogue_is_refused_at_once(boss: Browser, run_sql: Sql, content: bytes, message: str) -> None:
    answer = send(boss, content)
    assert answer.status_code == 422
    assert message in text_of(answer)
    assert run_sql("SELECT count(*) FROM product_imports") == [(0,)]


def test_without_a_file_it_says_so(boss: Browser) -> None:
    answer = send(boss, b"", name="")
    assert answer.status_code == 422
    assert answer.text.count("Choose a CSV file first.") == 2


def test_a_file_larger_than_other_forms_is_taken(boss: Browser, run_sql: Sql) -> None:
    rows = "".join(f"S-{number},Thing {number},Things,1.00,1\n" for number in range(60_000))
    assert len(rows) > 1024 * 1024
    answer = send(boss, HEADER + rows)
    assert answer.status_code == 303
    assert run_sql("SELECT count(*) FROM product_imports") == [(1,)]


def test_forged_uploads_are_refused(boss: Browser, run_sql: Sql) -> None:
    boss.get("/admin/products/import")
    boss.csrf_token = "forged"
    kind = "multipart/form-data; boundary=cut"
    body = b'--cut\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\nforged\r\n--cut--\r\n'
    answer = boss.client.post("/admin/products/import", data=body, content_type=kind)
    assert answer.status_code == 403
    assert run_sql("SELECT count(*) FROM product_imports") == [(0,)]


def test_an_import_is_stopped(boss: Browser, run_sql: Sql) -> None:
    address = send(boss, FILE).location
    boss.post(f"{address}/cancel")
    assert "Stopped." in text_of(boss.get(address))
    boss.post(f"{address}/cancel")
    assert "It is over already." in text_of(boss.get(address))
    assert run_sql("SELECT status FROM product_imports") == [("cancelled",)]
    assert run_sql("SELECT count(*) FROM import_parts") == [(0,)]


def test_the_export_has_all_products_for_excel(boss: Browser) -> None:
    make_product(sku="=A1", name="Apples")
    answer = boss.get("/admin/products/export.csv")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.text.startswith("\ufeffsku,")
    assert "'=A1" in answer.text
