"""What can be wrong with a wish about a campaign."""

from collections.abc import Sequence

from grocery.errors import ConflictError, NotFoundError


class CampaignNotFoundError(NotFoundError):
    code = "campaign_not_found"

    def __init__(self, campaign_id: int):
        super().__init__(f"There is no campaign {campaign_id}.")


class NotDraftError(ConflictError):
    """People have got it, or are about to: it stays as it was when it was started."""

    code = "not_draft"

    def __init__(self, status: str):
        super().__init__(
            f"The campaign is {status}. Only one that was never started can be changed or deleted.", current=status
        )


class IllegalTransitionError(ConflictError):
    """`allowed` lists what can be done instead."""

    code = "illegal_transition"

    def __init__(self, status: str, action: str, allowed: Sequence[str]):
        choices = ", ".join(allowed) if allowed else "nothing any more"
        super().__init__(
            f"{action.capitalize()} is not possible for a campaign that is {status}; possible: {choices}.",
            current=status,
            allowed=list(allowed),
        )


class ShopUrlNeededError(ConflictError):
    """Every e-mail with offers has to say where to unsubscribe, and that is an address of the shop."""

    code = "shop_url_needed"

    def __init__(self) -> None:
        super().__init__("Campaigns by e-mail need the setting SHOP_URL, for the link to unsubscribe.")
