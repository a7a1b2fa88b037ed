"""Documents: invoice, packing slip and credit note as PDF.

They are laid out by Typst (PyPI `typst`: one wheel, no system libraries, its fonts inside). Compared were ReportLab and
fpdf2, which are lighter (Typst is 34 MB to download, 81 MB installed; ReportLab is the fastest, too) and need a font
and, for Arabic, a shaping library from elsewhere. ReportLab's paragraphs read names as markup unless they are escaped,
and fpdf2 takes three times as long for 200 lines. Typst lets other threads run meanwhile, sets right-to-left names the
right way round, looks for letters in all of its fonts, repeats the heads of tables, and takes an order as data, of
which it reads nothing as markup. QR codes are made by segno, which is small and pure Python.
"""

from flask import Flask

from grocery.api import register_blueprint
from grocery.orders.documents.views import blp


def init_app(app: Flask) -> None:
    """Register the routes of this part. Its command is in the group of `flask orders`."""
    register_blueprint(app, blp)
