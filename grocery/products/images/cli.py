"""`flask products images …`, for the operator."""

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click

from grocery.commands import CommandGroup, print_json
from grocery.products.images.folder import FileResult, import_pictures, list_pictures

images_cli = CommandGroup("images", help="Pictures of products.")


@images_cli.command("import")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def import_command(directory: Path, as_json: bool) -> None:
    """Give products the pictures in DIR.

    A file is named by the SKU or the barcode of its product: MILK-500.jpg. JPEG, PNG and WebP are taken, up to 10 MiB;
    other files are passed over. A picture takes the place of the one before; importing a folder again changes nothing.

    Exits with 1 when a picture was refused; the others are applied.
    """
    paths = list_pictures(directory)
    results: list[FileResult] = []
    with click.progressbar(
        import_pictures(paths), length=len(paths), label="Importing", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        for result in bar:
            results.append(result)
            if not as_json:
                click.echo(f"{result.file}: {result.reason or result.result}")
    counts = Counter(result.result for result in results)
    summary = {result: counts[result] for result in ("set", "unchanged", "refused")}
    if as_json:
        print_json({**summary, "files": [asdict(result) for result in results]})
    else:
        click.echo(" ".join(f"{result}: {count}" for result, count in summary.items()))
    if counts["refused"]:
        sys.exit(1)
