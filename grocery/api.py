"""The API's frame on flask-smorest: problem documents in OpenAPI, strict JSON bodies, one declaration per route."""

import http
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any, NoReturn

import flask_smorest
import orjson
from flask import Flask, Request, Response, request
from flask.json.provider import JSONProvider
from flask_smorest.utils import prepare_response
from marshmallow import INCLUDE, fields
from webargs import core
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge, UnprocessableEntity
from werkzeug.routing import IntegerConverter

from grocery.errors import PROBLEM_TYPE, InvalidError, MalformedError, MediaTypeError, StaleError
from grocery.fields import MAX_ID, Money, Quantity, Schema
from grocery.stating import mark_taken, state_rules

View = Callable[..., Any]

#: Who may call a route. "optional": a visitor too, a customer when signed in. "refresh": the refresh token.
ACCESS_LEVELS = ("public", "optional", "refresh", "customer", "staff", "admin")

_BODY_PROBLEMS = (400, 413, 415, 422)
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of an earlier answer: when nothing has changed, the answer is 304 without a body.",
}

_RETRY_AFTER = {
    "Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds to wait before the next try."}
}


class ProblemSchema(Schema):
    """An error as RFC 9457 problem details. Each `code` may add members of its own."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True, metadata={"description": "urn:grocery:problem:{code}"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What went wrong, for people."})
    code = fields.String(required=True, metadata={"description": "A stable word, for programs: `out_of_stock`."})
    errors = fields.Dict(metadata={"description": "With 422: messages by field."})


class OrjsonProvider(JSONProvider):
    """JSON by orjson: twice as fast as the standard library, and datetimes come out in RFC 3339."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return self._dump(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = self._dump(self._prepare_response_obj(args, kwargs))
        return Response(body, mimetype="application/json")

    def _dump(self, obj: Any) -> bytes:
        return orjson.dumps(obj, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


class IdConverter(IntegerConverter):
    """`<int:id>` in addresses: an id beyond PostgreSQL's bigint is simply not found."""

    # Werkzeug converts after it has chosen the rule by its pattern, so the length is part of the pattern.
    regex = "[0-9]{1,18}"

    def __init__(self, url_map: Any, *args: Any, **kwargs: Any):
        super().__init__(url_map, *args, **{"max": MAX_ID, **kwargs})


class Parser(FlaskParser):
    """Reads strict JSON: 415 for another content type, 400 for malformed text, NaN and lone surrogates included."""

    # A misspelt filter must not silently give the whole list.
    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": "raise"}

    def _raw_load_json(self, req: Request) -> Any:
        body = _read_body(req)
        if not body:
            return core.missing
        if not core.is_json(req.mimetype):
            raise MediaTypeError("Send JSON, with the header Content-Type: application/json.")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise MalformedError(f"The body is not valid JSON: {error}.") from None

    def load_querystring(self, req: Request, schema: Any) -> Any:
        """Refuse `?limit=1&limit=2`: a proxy that checks the one, and we who use the other, would not see the same."""
        sent = super().load_querystring(req, schema)
        repeated = {name for name, values in req.args.lists() if len(values) > 1} - sent.multiple_keys
        if repeated:
            errors = {name: ["Send it once."] for name in sorted(repeated)}
            raise InvalidError("One or more fields are not valid.", errors=errors)
        return sent

    def _handle_invalid_json_error(self, error: Any, req: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise MalformedError("The body is not valid JSON.") from error


class Blueprint(flask_smorest.Blueprint):
    """A blueprint whose routes carry their access level and every status that they can answer into OpenAPI."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(_document_operation)

    def add_url_rule(self, rule: str, endpoint: str | None = None, view_func: Any = None, **options: Any) -> None:
        if view_func is not None:
            whole = (self.url_prefix or "") + rule
            view_func._apidoc = {**getattr(view_func, "_apidoc", {}), "rule": whole, "operation": view_func.__name__}
        super().add_url_rule(rule, endpoint, view_func, **options)

    def arguments(
        self, schema: Any, *, location: str = "json", required: bool = True, **kwargs: Any
    ) -> Callable[[View], View]:
        """flask-smorest's, with one instance of the schema for all requests: making one costs more than using it.

        A body that is required must be there: nothing is not the same as `{}`.
        """
        instance = schema() if isinstance(schema, type) else schema
        mark_taken(instance, location)
        parse: Callable[[View], View] = super().arguments(instance, location=location, required=required, **kwargs)
        return _needing_body(parse) if location == "json" and required else parse

    @staticmethod
    def problems(**descriptions: str) -> Callable[[View], View]:
        """Document further errors: `problems(_409="The e-mail address is taken: `email_taken`.")`."""

        def decorator(view: View) -> View:
            problems = {int(name.strip("_")): text for name, text in descriptions.items()}
            _note(view, "problems", {**getattr(view, "_apidoc", {}).get("problems", {}), **problems})
            return view

        return decorator

    @staticmethod
    def found_first(find: Callable[..., Any]) -> Callable[[View], View]:
        """Answer 404 before 412, 415 and 422: when a request is refused, `find(**path arguments)` is asked first.

        It raises NotFoundError; asking only after a refusal keeps good requests free of the extra query.
        """

        def decorator(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                try:
                    return view(*args, **kwargs)
                except (UnprocessableEntity, InvalidError, MediaTypeError, MalformedError, StaleError):
                    find(**(request.view_args or {}))
                    raise

            return wrapper

        return decorator


class Api(flask_smorest.Api):
    """flask-smorest's Api with problem documents as the only errors (`grocery.errors` registers the handlers)."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Left to grocery.errors, which covers what is raised outside of blueprints too."""

    def _register_responses(self) -> None:
        for status in http.HTTPStatus:
            response: dict[str, Any] = {"description": status.phrase}
            if status >= 400:
                response["schema"] = ProblemSchema
            prepare_response(response, self.spec, PROBLEM_TYPE)
            self.spec.components.response(status.name, response, lazy=True)


def declare_access(view: View, level: str) -> None:
    """Note on a view who may call it; the doc generator and the route test read it."""
    if level not in ACCESS_LEVELS:
        raise ValueError(f"unknown access level {level}")
    _note(view, "access", level)


def public(view: View) -> View:
    """Declare that anyone may call this route."""
    declare_access(view, "public")
    return view


def init_app(app: Flask) -> None:
    """Give the app its API; blueprints come with `register_blueprint`."""
    api = Api()
    app.extensions["api"] = api
    app.json = OrjsonProvider(app)
    app.url_map.converters["int"] = IdConverter
    app.config.update(
        API_TITLE=f"{app.config['SHOP_NAME']} API",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api.init_app(app)
    api.register_field(Money, "string", "decimal")
    api.register_field(Quantity, "number", None)
    api.ma_plugin.converter.add_attribute_function(state_rules)
    api.register_converter(IdConverter, lambda _converter: {"type": "integer", "minimum": 1, "maximum": MAX_ID})
    api.spec.components.security_scheme(
        "bearer",
        {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `access_token` that `POST /auth/login` answers.",
        },
    )


def register_blueprint(app: Flask, blueprint: Blueprint) -> None:
    """Serve a blueprint and describe it in the app's OpenAPI document."""
    app.extensions["api"].register_blueprint(blueprint)


def _read_body(req: Request) -> bytes:
    """The body; raises RequestEntityTooLarge.

    Of a body sent in chunks, Werkzeug passes on what is within the limit as if it were the whole.
    """
    body = req.get_data(cache=True)
    limit = req.max_content_length
    if req.content_length is None and limit is not None and len(body) >= limit:
        raise RequestEntityTooLarge
    return body


def _needing_body(parse: Callable[[View], View]) -> Callable[[View], View]:
    def decorator(view: View) -> View:
        parsed = parse(view)

        @wraps(parsed)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not _read_body(request):
                raise InvalidError("The request needs a JSON body.", errors={"_schema": ["The body is missing."]})
            return parsed(*args, **kwargs)

        return wrapper

    return decorator


def _note(view: View, key: str, value: Any) -> None:
    view._apidoc = {**deepcopy(getattr(view, "_apidoc", {})), key: value}  # type: ignore[attr-defined]


def _document_operation(doc: dict[str, Any], doc_info: dict[str, Any], **_: Any) -> dict[str, Any]:
    access = doc_info.get("access", "undeclared")
    responses = doc.setdefault("responses", {})
    for status in sorted(_statuses(doc, doc_info, access)):
        responses.setdefault(status, http.HTTPStatus(status).name)
    for status, text in doc_info.get("problems", {}).items():
        responses[status] = _described_problem(status, text)
    if {304, "304"} & responses.keys():
        doc["parameters"] = [*doc.get("parameters", []), _IF_NONE_MATCH]
    doc["operationId"] = doc_info["operation"]
    doc["x-access"] = access
    if access == "optional":
        doc["security"] = [{}, {"bearer": []}]
    elif access != "public":
        doc["security"] = [{"bearer": []}]
    return doc


def _statuses(doc: dict[str, Any], doc_info: dict[str, Any], access: str) -> set[int]:
    """The errors that follow from what a route declares, without anyone writing them down."""
    statuses = {503}
    if access != "public":
        statuses.add(401)
    if access in ("staff", "admin"):
        statuses.add(403)
    if "<" in doc_info["rule"]:
        statuses.add(404)
    if "requestBody" in doc:
        statuses.update(_BODY_PROBLEMS)
    return statuses


def _described_problem(status: int, text: str) -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    headers = {"headers": _RETRY_AFTER} if status == http.HTTPStatus.TOO_MANY_REQUESTS else {}
    return {"description": text, "content": content, **headers}
