"""The blueprint of the desk's pages about messages."""

from grocery.storefront.desk.pages import DeskPages

blp = DeskPages("desk_notifications", __name__, url_prefix="/admin/notifications")
