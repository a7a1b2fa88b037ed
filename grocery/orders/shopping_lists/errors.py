"""What can be wrong with shopping lists."""

from grocery.errors import ConflictError, NotFoundError


class ListNotFoundError(NotFoundError):
    """No such list, or one of somebody else: who asks must not learn which."""

    def __init__(self, list_id: int):
        super().__init__(f"There is no shopping list {list_id}.")


class ListExistsError(ConflictError):
    code = "list_exists"

    def __init__(self, name: str):
        super().__init__(f"You have a list {name} already.")


class TooManyListsError(ConflictError):
    code = "too_many_lists"

    def __init__(self, limit: int):
        super().__init__(f"There is room for {limit} shopping lists.", limit=limit)


class ListFullError(ConflictError):
    code = "list_full"

    def __init__(self, limit: int):
        super().__init__(f"A shopping list has room for {limit} products.", limit=limit)
