"""What can be wrong with a text that the shop has written itself."""

from grocery.errors import InvalidError, NotFoundError


class TextNotFoundError(NotFoundError):
    code = "text_not_found"

    def __init__(self, name: str):
        super().__init__(f"There is no text {name}.")


class OwnTextNotFoundError(NotFoundError):
    code = "own_text_not_found"

    def __init__(self, name: str):
        super().__init__(f"The shop has no text of its own for {name}: the one of the program is in use.")


class BadSourceError(InvalidError):
    """The source of a text cannot be used. `problem` names the line where there is one."""

    code = "bad_text"

    def __init__(self, problem: str):
        self.problem = problem
        super().__init__("The text cannot be used.", errors={"source": [problem]})
