"""The report as people read it: in columns, with colours on a terminal only."""

import click

from grocery.doctor.examining import Report
from grocery.doctor.findings import Level

_COLOURS = {Level.OK: "green", Level.HINT: "cyan", Level.WARNING: "yellow", Level.FAILURE: "red"}
_WIDTH = max(map(len, Level))


def show(report: Report) -> None:
    """One check; `click.echo` takes the colours out where nobody would see them."""
    click.secho(report.name, bold=True)
    for finding in report.findings:
        level = click.style(finding.level.ljust(_WIDTH), fg=_COLOURS[finding.level])
        click.echo(f"  {level}  {finding.what}")
        if finding.remedy:
            click.echo(f"  {'':{_WIDTH}}  → {finding.remedy}")


def show_sum(reports: list[Report]) -> None:
    levels = [finding.level for report in reports for finding in report.findings]
    counts = {level: levels.count(level) for level in reversed(Level)}
    click.echo()
    click.echo(", ".join(f"{level}: {count}" for level, count in counts.items()))
