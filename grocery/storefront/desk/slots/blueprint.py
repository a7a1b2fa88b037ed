"""The blueprint of the desk's pages for delivery times and areas."""

from grocery.storefront.desk.pages import DeskPages

blp = DeskPages("desk_slots", __name__, url_prefix="/admin/slots")
