"""The blueprint of the desk's pages for products, categories and imports."""

from grocery.products.images.receiving import MAX_FILE_BYTES
from grocery.products.imports.uploads import MAX_UPLOAD_BYTES
from grocery.storefront.desk.pages import DeskPages
from grocery.storefront.desk.uploads import FileForm, take_files

blp = DeskPages("desk_products", __name__, url_prefix="/admin/products")

take_files(
    blp,
    {
        "desk_products.set_picture": FileForm(MAX_FILE_BYTES, "desk_products.show_product"),
        "desk_products.start_import": FileForm(MAX_UPLOAD_BYTES, "desk_products.show_import"),
    },
)
