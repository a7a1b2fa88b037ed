"""What can be wrong with a wish about a notification."""

from grocery.errors import ConflictError, NotFoundError


class NotificationNotFoundError(NotFoundError):
    code = "notification_not_found"

    def __init__(self, notification_id: int):
        super().__init__(f"There is no notification {notification_id}.")


class NotResendableError(ConflictError):
    """Sending it anew would send it twice, or it is about to be sent anyway."""

    code = "not_resendable"

    def __init__(self, notification_id: int, status: str, reason: str):
        super().__init__(f"Notification {notification_id} {reason}.", current_status=status)
