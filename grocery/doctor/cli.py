"""`flask doctor`."""

import sys
from contextlib import suppress

import click
from flask.cli import with_appcontext

from grocery.commands import print_json
from grocery.doctor.checks import CHECKS
from grocery.doctor.examining import Patient, Report, examine
from grocery.doctor.findings import Level
from grocery.doctor.showing import show, show_sum
from grocery.errors import BusyError
from grocery.running import running_app

_EPILOG = "\b\nThe checks:\n" + "\n".join(f"  {check.name:13} {check.about}" for check in CHECKS)


@click.command("doctor", epilog=_EPILOG)
@click.option(
    "--only", multiple=True, type=click.Choice([check.name for check in CHECKS]), help="Only this check; repeatable."
)
@click.option("--deep", is_flag=True, help="Also what takes long: the stock of every product.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def doctor_command(only: tuple[str, ...], deep: bool, as_json: bool) -> None:
    """Look at settings, engines, processes and providers, and say what to do about what is wrong.

    Changes nothing, and sends no message. Exit code 1 when there is a failure; hints and warnings are none.
    """
    app = running_app()
    patient = Patient(app, app.extensions["settings"], app.extensions["engines"], is_deep=deep)
    if patient.engines.is_embedded:
        # A first start takes longer than a check may. Whatever is in its way, the checks will say it.
        with suppress(BusyError):
            _ = patient.engines.database_url
    checks = [check for check in CHECKS if not only or check.name in only]
    reports: list[Report] = []
    bar = click.progressbar(
        examine(patient, checks), length=len(checks), label="Looking", file=sys.stderr, hidden=not sys.stderr.isatty()
    )
    with bar as examined:
        reports.extend(examined)
    if as_json:
        print_json({report.name: [vars(finding) for finding in report.findings] for report in reports})
    else:
        for report in reports:
            show(report)
        show_sum(reports)
    if any(finding.level is Level.FAILURE for report in reports for finding in report.findings):
        raise SystemExit(1)
