"""`flask doctor`: looks at everything that the shop needs, and says what to do about what it finds.

It stands above the packages, since it asks about all of them. A check never changes anything that stays.
"""

from flask import Flask

from grocery.doctor.cli import doctor_command


def init_app(app: Flask) -> None:
    app.cli.add_command(doctor_command)
