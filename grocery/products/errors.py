"""What can go wrong with products, categories and stock."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from grocery.errors import ConflictError, NotFoundError
from grocery.fields import quantity_number


@dataclass(frozen=True)
class Shortage:
    """A product of which less is there than was asked for (pieces or kilograms)."""

    product_id: int
    name: str
    requested: Decimal
    available: Decimal


class OutOfStockError(ConflictError):
    """Less is there than was asked for; `items` says of what."""

    code = "out_of_stock"

    def __init__(self, shortages: Iterable[Shortage]):
        self.shortages = tuple(shortages)
        names = ", ".join(shortage.name for shortage in self.shortages)
        super().__init__(f"Not enough in stock: {names}.", items=[_shortage_json(one) for one in self.shortages])


class ProductUnavailableError(ConflictError):
    """Products that are withdrawn from sale or deleted; `product_ids` names them."""

    code = "product_unavailable"

    def __init__(self, product_ids: Iterable[int]):
        self.product_ids = sorted(product_ids)
        listed = ", ".join(map(str, self.product_ids))
        super().__init__(f"No longer for sale: product {listed}.", product_ids=self.product_ids)


class InsufficientStockError(ConflictError):
    """A correction would bring the stock below zero; `available` says what is there."""

    code = "insufficient_stock"

    def __init__(self, available: Decimal):
        super().__init__(
            f"The stock is {quantity_number(available)}; it cannot go below 0.", available=quantity_number(available)
        )


class ProductNotFoundError(NotFoundError):
    def __init__(self, detail: str = "There is no such product."):
        super().__init__(detail)


class CategoryNotFoundError(NotFoundError):
    def __init__(self) -> None:
        super().__init__("There is no such category.")


class CategoryExistsError(ConflictError):
    code = "category_exists"

    def __init__(self, path: str):
        super().__init__(f"There is a category {path} already.")


class CategoryNotEmptyError(ConflictError):
    code = "category_not_empty"

    def __init__(self) -> None:
        super().__init__("The category has products or categories in it. Move or delete them first.")


class CategoryCycleError(ConflictError):
    code = "category_cycle"

    def __init__(self) -> None:
        super().__init__("A category cannot be moved into itself or below itself.")


class SkuTakenError(ConflictError):
    code = "sku_taken"

    def __init__(self, sku: str):
        super().__init__(f"Another product has the SKU {sku}.")


class BarcodeTakenError(ConflictError):
    code = "barcode_taken"

    def __init__(self, barcode: str):
        super().__init__(f"Another product has the barcode {barcode}.")


def _shortage_json(shortage: Shortage) -> dict[str, object]:
    return {
        "product_id": shortage.product_id,
        "name": shortage.name,
        "requested": quantity_number(shortage.requested),
        "available": quantity_number(shortage.available),
    }
