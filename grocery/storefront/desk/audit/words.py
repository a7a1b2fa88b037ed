"""What people did, in words: the names of requests, of pages and of commands."""

from flask_babel import lazy_gettext as _l

ROLES = {
    "customer": _l("Customer"),
    "staff": _l("Staff"),
    "admin": _l("Admin"),
    "visitor": _l("Visitor"),
    "command": _l("Command line"),
}

SUBJECTS = {
    "customer": _l("Person"),
    "order": _l("Order"),
    "product": _l("Product"),
    "category": _l("Category"),
    "promotion": _l("Offer"),
    "slot": _l("Delivery time"),
    "slot_template": _l("Weekly delivery time"),
    "zone": _l("Area"),
    "run": _l("Round"),
    "campaign": _l("Campaign"),
    "notification": _l("Message"),
    "import": _l("Import"),
}

#: What is done most, or matters most; all else is shown by its name.
ACTIONS = {
    "signed_in": _l("Signed in"),
    "sign_in_failed": _l("Could not sign in"),
    "log_out": _l("Signed out"),
    "create_user": _l("Made an account"),
    "update_user": _l("Changed an account"),
    "set_role": _l("Gave another role"),
    "set_active": _l("Blocked or unblocked an account"),
    "delete_user": _l("Deleted an account"),
    "delete_me": _l("Deleted the own account"),
    "reset_user_totp": _l("Took off a second factor"),
    "turn_off_totp": _l("Turned off the own second factor"),
    "confirm_totp": _l("Turned on the own second factor"),
    "resend_verification": _l("Sent a confirmation again"),
    "end_sessions": _l("Signed somebody out everywhere"),
    "session_ended": _l("Signed out one device"),
    "sessions_ended": _l("Signed out other devices"),
    "password_changed": _l("Changed the own password"),
    "password_reset": _l("Chose a new password by mail or SMS"),
    "data_exported": _l("Got a copy of the own data"),
    "confirm_phone": _l("Confirmed a phone"),
    "confirm_email": _l("Confirmed an e-mail address"),
    "remove_phone": _l("Removed the phone"),
    "remove_email": _l("Removed the e-mail address"),
    "create_product": _l("Added a product"),
    "replace_product": _l("Changed a product"),
    "change_product": _l("Changed a product"),
    "delete_product": _l("Deleted a product"),
    "change_stock": _l("Changed the stock"),
    "schedule_price": _l("Planned a price"),
    "cancel_price_change": _l("Took back a planned price"),
    "set_product_image": _l("Set a picture"),
    "remove_product_image": _l("Removed a picture"),
    "import_products": _l("Imported products"),
    "create_promotion": _l("Made an offer"),
    "replace_promotion": _l("Changed an offer"),
    "delete_promotion": _l("Deleted an offer"),
    "place_order": _l("Placed an order"),
    "set_order_status": _l("Moved an order"),
    "cancel_order": _l("Cancelled an order"),
    "pick_order_line": _l("Picked a line"),
    "add_order_line": _l("Added a line to an order"),
    "remove_order_line": _l("Removed a line of an order"),
    "set_order_line_quantity": _l("Changed a quantity in an order"),
    "record_payment": _l("Noted a payment"),
    "take_back": _l("Took goods back"),
    "create_slot": _l("Added a delivery time"),
    "replace_slot": _l("Changed a delivery time"),
    "delete_slot": _l("Deleted a delivery time"),
    "create_campaign": _l("Wrote a campaign"),
    "start_campaign": _l("Started a campaign"),
    "move_campaign": _l("Started, paused or called off a campaign"),
    "pause_campaign": _l("Paused a campaign"),
    "resume_campaign": _l("Went on with a campaign"),
    "cancel_campaign": _l("Called off a campaign"),
    "delete_campaign": _l("Deleted a campaign"),
    "set_text": _l("Changed the words of a message"),
    "remove_text": _l("Went back to the program's words"),
    "resend_notification": _l("Sent a message again"),
    "resend_failed": _l("Sent failed messages again"),
    "lift_suppression": _l("Took an address off the list of who gets nothing"),
    "send_test": _l("Sent a test message"),
}


def name_of(action: str) -> str:
    """What pages and requests for the same have in common: `desk_people.set_role` is `set_role`."""
    return action.rpartition(".")[2]


def action_words(action: str) -> str:
    """What was done; by the program's own name where there are no words."""
    return str(ACTIONS.get(name_of(action)) or action.replace("_", " "))
