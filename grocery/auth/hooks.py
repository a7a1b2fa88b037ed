"""What other packages may answer, inside the transaction that sends it. Connect receivers in `init_app`."""

from blinker import Namespace

_signals = Namespace()

customer_deleting = _signals.signal(
    "customer-deleting",
    """Sent before a customer's row is deleted, and with it all that belongs to it by foreign keys.

    Arguments: `customer_id`, and `actor`, the Person who deletes (None: someone at the command line). The row is locked
    FOR UPDATE, so that no order of this customer can be placed meanwhile. A receiver that raises stops the deletion:

        @customer_deleting.connect
        def cancel_open_orders(_sender: object, *, customer_id: int, actor: Person | None) -> None: ...
    """,
)

signed_in = _signals.signal(
    "signed-in",
    """Sent when somebody has signed in, inside the transaction that begins the session.

    Arguments: `customer_id`. A receiver must not fail because of what the client sent beside the password.

        @signed_in.connect
        def join_carts(_sender: object, *, customer_id: int) -> None: ...
    """,
)

customer_exporting = _signals.signal(
    "customer-exporting",
    """Asks for everything that a package knows of a person, for the copy that they may have of it.

    Arguments: `customer_id`. A receiver answers a dict of section → JSON-ready data, read in the transaction that sends
    the signal, which sees one state of the database. No secrets: who has the copy must not be able to sign in with it.

        @customer_exporting.connect
        def export_orders(_sender: object, *, customer_id: int) -> dict[str, Any]: ...
    """,
)
