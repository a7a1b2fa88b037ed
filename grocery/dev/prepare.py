"""Make the database ready: migrate it, and fill an empty embedded one with the demo shop.

A process of its own, so that the supervisor loads no application and holds no connection while it forks.
"""

import sys

from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError

from grocery.app import create_app
from grocery.demo.shop import is_empty, load_demo
from grocery.errors import GroceryError


def main() -> None:
    """Do what `flask db upgrade` and `flask demo load --if-empty` do; ends with one line when the database is away."""
    app = create_app()
    with app.app_context():
        try:
            upgrade()
            if app.extensions["engines"].is_embedded and is_empty():
                load_demo(app.extensions["settings"])
        except OperationalError as error:
            sys.exit(f"The database is away: {str(error.orig).strip()}")
        except GroceryError as error:
            sys.exit(error.detail)


if __name__ == "__main__":
    main()
