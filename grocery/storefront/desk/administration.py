"""The parts of the desk that only admins have: people, messages, the log and reports."""

from grocery.storefront.desk.audit import views as audit
from grocery.storefront.desk.notifications import (
    campaign_views,
    inbound_views,
    state_views,
    suppression_views,
    text_views,
    views,
)
from grocery.storefront.desk.notifications.blueprint import blp as notifications
from grocery.storefront.desk.people import person_views
from grocery.storefront.desk.people import views as people_views
from grocery.storefront.desk.people.blueprint import blp as people
from grocery.storefront.desk.reports import views as reports

__all__ = [
    "BLUEPRINTS",
    "campaign_views",
    "inbound_views",
    "people_views",
    "person_views",
    "state_views",
    "suppression_views",
    "text_views",
    "views",
]

#: Each with all of its views, which the imports above have added.
BLUEPRINTS = (people, notifications, audit.blp, reports.blp)
