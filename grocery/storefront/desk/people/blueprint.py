"""The blueprint of the desk's pages about people."""

from grocery.storefront.desk.pages import DeskPages

blp = DeskPages("desk_people", __name__, url_prefix="/admin")
