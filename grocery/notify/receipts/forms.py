"""The provider's forms: posted without proof of who calls, and posted again for minutes unless the answer is 200."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, current_app, request
from marshmallow import EXCLUDE, ValidationError

from grocery.api import Blueprint, View, public
from grocery.errors import InvalidError
from grocery.fields import Name, Phone, Schema
from grocery.notify.receipts.oddities import oddities
from grocery.notify.receipts.secret import check_secret

FORM_TYPE = "application/x-www-form-urlencoded"


class BadFormError(InvalidError):
    """The form is not one that the provider sends. `detail` names what is wrong without quoting it."""

    code = "bad_form"


class FormSchema(Schema):
    """A form of the provider, who may add fields at any time."""

    class Meta:
        unknown = EXCLUDE


class SenderPhone(Phone):
    """A phone number in a form; a plus sign that was not encoded has become a space."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and value.startswith(" "):
            value = f"+{value.strip()}"
        return super()._deserialize(value, attr, data, **kwargs)


class DeliveryReportSchema(FormSchema):
    """Source: http://docs.africastalking.com/sms/notifications, Delivery Reports."""

    id = Name(required=True, metadata={"description": "The provider's id of the message."})
    status = Name(
        required=True,
        max_length=50,
        metadata={"description": "`Sent`, `Submitted`, `Buffered`; final: `Success`, `Rejected`, `Failed`."},
    )
    phone = SenderPhone(required=True, data_key="phoneNumber")
    network_code = Name(load_default=None, max_length=50, data_key="networkCode")
    failure_reason = Name(
        load_default=None,
        max_length=100,
        data_key="failureReason",
        metadata={"description": "With `Rejected` and `Failed`: `UserInBlackList`, `DeliveryFailure` …"},
    )
    retry_count = Name(load_default=None, max_length=9, data_key="retryCount")


class OptOutSchema(FormSchema):
    """Source: http://docs.africastalking.com/sms/notifications, Bulk SMS Opt Out."""

    sender = Name(load_default=None, data_key="senderId", metadata={"description": "The sender that is refused."})
    phone = SenderPhone(required=True, data_key="phoneNumber")


def callback(schema: type[FormSchema], example: dict[str, str]) -> Callable[[View], View]:
    """Make a view of `form` the route of a callback below `/notify/sms/<secret>`; it answers 200 without a body.

    A wrong secret is not found. A bad form is counted and logged, and answers 200: sent again, it would be as bad.
    """
    instance = schema()

    def decorator(view: Callable[[dict[str, Any]], None]) -> View:
        @public
        @Blueprint.doc(requestBody=_describe(schema, example))
        @Blueprint.problems(_404="The secret is wrong.", _413="The body is too large.")
        @wraps(view)
        def wrapper(secret: str) -> Response:
            check_secret(secret, current_app.config["AT_CALLBACK_SECRET"])
            try:
                form = _read_form(instance)
            except BadFormError as error:
                oddities().note(f"bad form for {view.__name__}", error.detail)
            else:
                view(form)
            return Response(content_type="text/plain; charset=utf-8")

        return wrapper

    return decorator


def _read_form(schema: FormSchema) -> dict[str, Any]:
    fields: dict[str, str] = {}
    for name, values in request.form.lists():
        if len(values) > 1:
            raise BadFormError("a field comes twice")
        if values[0].strip():
            fields[name] = values[0]
    try:
        form: dict[str, Any] = schema.load(fields)
    except ValidationError as error:
        wrong = ", ".join(sorted(map(str, error.messages_dict)))
        raise BadFormError(f"of type {request.mimetype!r:.80}, with missing or wrong fields: {wrong}") from None
    return form


def _describe(schema: type[FormSchema], example: dict[str, str]) -> dict[str, Any]:
    return {"required": True, "content": {FORM_TYPE: {"schema": schema, "example": example}}}
