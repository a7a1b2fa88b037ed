"""How fast shoppers browse 100,000 products, and that it costs what it costs with 1,000.

    python -m benchmarks.browsing

Every figure is a median over rounds, of requests one after the other inside the app, past the kept answers. Runs on
embedded engines of its own in a temporary directory. Quote the ratios: absolute times belong to one machine.
"""

import csv
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

from flask.testing import FlaskClient

from benchmarks.shop import import_file, ready_app, settle
from grocery.demo.shop import CATALOGUE

FEW, MANY = 1_000, 100_000
ROUNDS = 3
PAGE = 1_000
_NEXT = re.compile(r"<https?://[^/]+([^>]+)>")

_QUALITIES = ("", "Fresh", "Organic", "Family", "Premium", "Golden", "Daily", "Original", "Classic", "Choice", "Extra")
_SIZES = ("", "100 g", "200 g", "250 g", "400 g", "500 g", "750 g", "1 kg", "2 kg", "5 kg", "10 kg")

#: What shoppers type: beginnings of words, common and rare words, several words, plurals, mistakes, Swahili, nonsense.
SEARCHES = (
    *("m", "ri", "sug", "choc", "milk", "rice", "fresh", "organic", "oil", "cooking oil", "bread", "brown bread"),
    *("maize flour", "maize flour 2 kg", "family soap", "tomatoes", "potato", "onions", "tea leaves", "golden tea"),
    *("tomatos", "suger", "choclate", "bananna", "unga", "sukuma wiki", "maziwa", "sukari", "mchele", "zxqv"),
)
#: As they stand in the field while somebody types.
BEGINNINGS = ("m", "mi", "mil", "milk", "f", "fre", "fresh t", "cho", "unga", "tomatos", "brown b", "maize fl")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        app, data_dir = ready_app(Path(directory, "data"))
        client = app.test_client()
        file = Path(directory, "catalogue.csv")

        write_catalogue(file, FEW)
        import_file(file, data_dir)
        settle(app)
        list_with_few = _median(_times(client, ["/products/"] * 200))
        write_catalogue(file, MANY)
        seconds, megabytes = import_file(file, data_dir)
        print(f"import of {MANY:,} rows: {seconds:.0f} s, {megabytes:.0f} MB")
        settle(app)

        list_with_many = _median(_times(client, ["/products/"] * 200))
        _say("list, first page", list_with_many, list_with_few, f"with {FEW:,} products", 1.5)
        last = _median(_times(client, [_page(client, PAGE)] * 200))
        _say(f"list, page {PAGE:,} by cursor", last, list_with_many, "of the first page", 1.3)
        _limit("search, p95", _p95(_times(client, [f"/products/?q={query}" for query in SEARCHES] * 5)), 30)
        _limit("suggest, p95", _p95(_times(client, [f"/products/suggest?q={query}" for query in BEGINNINGS] * 10)), 10)
        _limit("facets of all", _median(_times(client, ["/products/facets"] * 20)), 60)
        for query in ("q=fresh", "category=1", "in_stock=true"):
            _limit(f"facets, {query}", _median(_times(client, [f"/products/facets?{query}"] * 20)), 60)


def write_catalogue(path: Path, rows: int) -> None:
    """A catalogue of so many products, made of the demo's, in an order that is the same at each run."""
    chance = random.Random(1)
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        demo = list(csv.DictReader(file))
    variants = list(product(_QUALITIES, _SIZES, range(1 + rows // (len(demo) * len(_QUALITIES) * len(_SIZES)))))
    made = [(base, variant) for base in demo for variant in variants]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, demo[0].keys())
        writer.writeheader()
        for number, (base, (quality, size, series)) in enumerate(chance.sample(made, rows)):
            name = " ".join(filter(None, (quality, base["name"], size, f"No. {series}" if series else "")))
            price = f"{chance.randint(20, 5000)}.00"
            brand = base["brand"] or f"Farm {number % 200}"
            changed = {"sku": f"S-{number}", "barcode": "", "name": name, "brand": brand, "price": price}
            writer.writerow({**base, **changed, "compare_at_price": "", "stock": chance.randint(0, 60)})


def _page(client: FlaskClient, number: int) -> str:
    """The address of a page of the list."""
    address = "/products/"
    for _ in range(number - 1):
        match = _NEXT.search(client.get(address).headers["Link"])
        assert match
        address = match[1]
    return address


def _times(client: FlaskClient, addresses: Iterable[str]) -> Callable[[], list[float]]:
    """A round of these requests: milliseconds of each."""
    wanted = list(addresses)

    def run() -> list[float]:
        times = []
        for address in wanted:
            started = time.perf_counter()
            response = client.get(address)
            times.append((time.perf_counter() - started) * 1000)
            assert response.status_code == 200, response.get_data(as_text=True)
        return times

    run()  # caches of the database, plans, the vocabulary
    return run


def _median(run: Callable[[], list[float]]) -> float:
    return statistics.median(statistics.median(run()) for _ in range(ROUNDS))


def _p95(run: Callable[[], list[float]]) -> float:
    return statistics.median(statistics.quantiles(run(), n=20)[-1] for _ in range(ROUNDS))


def _say(what: str, milliseconds: float, base: float, compared: str, limit: float) -> None:
    ratio = milliseconds / base
    print(f"{what}: {milliseconds:.2f} ms, {ratio:.2f} times that {compared} (at most {limit}){_verdict(ratio, limit)}")


def _limit(what: str, milliseconds: float, limit: float) -> None:
    print(f"{what}: {milliseconds:.1f} ms (under {limit} ms){_verdict(milliseconds, limit)}")


def _verdict(value: float, limit: float) -> str:
    return "" if value <= limit else "  MISSED"


if __name__ == "__main__":
    main()
