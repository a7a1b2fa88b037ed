"""Make the database ready: migrate it, and fill an empty embedded one with the demo shop.

A process of its own, so that the supervisor loads no application and holds no connection while it forks.
"""

from grocery.app import create_app


def main() -> None:
    """Do what `flask db upgrade` and `flask demo load --if-empty` do."""
    app = create_app()
    app.cli.main(["db", "upgrade"], prog_name="flask", standalone_mode=False)
    if app.extensions["engines"].is_embedded:
        app.cli.main(["demo", "load", "--if-empty"], prog_name="flask", standalone_mode=False)


if __name__ == "__main__":
    main()
