"""What an import by the command says and leaves."""

from click.testing import Result

from tests.products.ledger import select_rows


def products(*columns: str) -> list[tuple]:
    return select_rows(f"SELECT {', '.join(columns)} FROM products ORDER BY id")


def counts(created: int = 0, updated: int = 0, unchanged: int = 0, refused: int = 0) -> str:
    return f"created: {created} updated: {updated} unchanged: {unchanged} refused: {refused}"


def last_line(result: Result) -> str:
    return result.stdout.strip().splitlines()[-1]


def refusals(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [line for line in result.stdout.splitlines() if line.startswith("row ")]


MILK_AND_BREAD = "sku,name,category,price\nM,Milk,Dairy,65\nB,Bread,Bakery/Loaves,70.50\n"


BAD_PRICE = 'price: Must be an amount such as "149.00", with at most 2 decimals and not below zero.'
