"""Who may call this package's routes. Identity is a higher package's business, so its check is handed in."""

from functools import wraps
from typing import Any

from grocery.api import View, declare_access
from grocery.notify.extension import state


def admin_only(view: View) -> View:
    """Let admins pass only, as the decorator that `init_app` was given decides."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        state().check_admin()
        return view(*args, **kwargs)

    declare_access(wrapper, "admin")
    return wrapper
