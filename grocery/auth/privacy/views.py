"""The route of the copy of one's data."""

from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import current_person, customer_required
from grocery.auth.privacy.downloads import export_file
from grocery.auth.privacy.schemas import ExportSchema
from grocery.limits import TOO_MANY

blp = Blueprint("privacy", __name__, url_prefix="/auth/me", description="The copy of one's data.")

_EXAMPLE = {
    **{section: [] for section in ExportSchema().fields},
    "account": {
        "id": 42,
        "name": "Wanjiku Kamau",
        "email": "wanjiku@example.com",
        "email_verified_at": None,
        "phone": "+254712345678",
        "phone_verified_at": "2026-03-02T08:15:00Z",
        "role": "customer",
        "is_active": True,
        "language": None,
        "notify_by": "sms_and_email",
        "marketing_sms": False,
        "marketing_email": False,
        "has_password": True,
        "created_at": "2026-03-02T08:15:00Z",
        "updated_at": "2026-03-02T08:15:00Z",
    },
    "stock_alerts": [{"product_id": 7, "name": "Sukuma Wiki (Kale)", "created_at": "2026-03-02T08:20:00Z"}],
}


@blp.route("/export")
@customer_required
@blp.problems(_429=TOO_MANY)
@blp.response(200, ExportSchema, description="A file to keep.", example=_EXAMPLE)
def export_me() -> ResponseReturnValue:
    """Get a copy of all of one's data

    Everything that the shop knows of this account, of one moment; without passwords, tokens and codes. `DELETE
    /auth/me` erases it.
    """
    return export_file(current_person())
