"""The WSGI layer in front of Flask that answers from what this process keeps."""

import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import is_resource_modified, parse_accept_header, remove_entity_headers
from werkzeug.wsgi import ClosingIterator

from grocery.answers.listener import Listener
from grocery.answers.store import Answer, AnswerStore, Headers, Key
from grocery.config import LANGUAGES
from grocery.web import ROUTE, request_id_of

#: Set in the environ by views whose answers may be kept, so that nobody but Flask has to know their addresses.
MARK = "grocery.answers.kept"

#: Set for those views: answer 200 with the body, also when the client has it. Else clients that ask only whether
#: something has changed would never have an answer kept; the 304 is made here.
WHOLE = "grocery.answers.whole"

#: Set in the environ to what `X-Cache` says, for whoever counts.
OUTCOME = "grocery.answers.outcome"

# Each answer has its own of these; the server writes the date.
_OWN_HEADERS = frozenset({"x-request-id", "x-cache", "date"})

_MAX_LANGUAGE_LENGTH = 200


class KeptAnswers:
    """Answers visitors from `store`, asks `app` for the rest and keeps what may be kept.

    The key has the whole `Host`: an answer is kept only when Flask has taken that host, so an untrusted one never finds
    any. `X-Cache` says `hit`, `miss`, or `bypass` where the request has an `Authorization` or nothing is kept now.
    """

    def __init__(
        self,
        app: WSGIApplication,
        connect: Callable[[], Any],
        max_bytes: int,
        forget_words: Callable[[], object] = lambda: None,
    ):
        self._app = app
        self._connect = connect
        self._max_bytes = max_bytes
        self._forget_words = forget_words
        self._processes: dict[int, tuple[AnswerStore, Listener]] = {}

    @property
    def store(self) -> AnswerStore:
        """The store of this process."""
        return self._here()[0]

    def forget(self) -> None:
        """What is kept shows what was changed: forget it, in this process."""
        self.store.forget()

    def close(self) -> None:
        """End this process's thread."""
        self._here()[1].stop()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._app(environ, start_response)
        if "HTTP_AUTHORIZATION" in environ:
            recorder = _Recorder()
            return _pass_on(recorder, self._app(environ, recorder), environ, start_response, "bypass")
        store, listener = self._here()
        key = _key(environ)
        answer = store.find(key)
        if answer is not None:
            return _respond(answer, environ, start_response, "hit")
        return self._ask(environ, start_response, key, store, listener)

    def _ask(
        self, environ: WSGIEnvironment, start_response: StartResponse, key: Key, store: AnswerStore, listener: Listener
    ) -> Iterable[bytes]:
        generation, outcome = store.generation, "miss" if store.is_valid else "bypass"
        recorder = _Recorder()
        environ[WHOLE] = True
        chunks = self._app(environ, recorder)
        if MARK in environ:
            listener.start()
            store.note_miss()
        if not (MARK in environ and recorder.may_be_kept):
            return _pass_on(recorder, chunks, environ, start_response, outcome)
        answer = _make_answer(recorder.headers, _read(chunks), environ.get(ROUTE, ""))
        if environ["REQUEST_METHOD"] == "GET":
            store.keep(key, answer, generation)
        return _respond(answer, environ, start_response, outcome)

    def _here(self) -> tuple[AnswerStore, Listener]:
        """The parts that belong to this process. A forked child inherits neither threads nor usable locks."""
        found = self._processes.get(os.getpid())
        if found is None:
            store = AnswerStore(self._max_bytes)
            found = self._processes.setdefault(os.getpid(), (store, Listener(self._connect, store, self._forget_words)))
        return found


class _Recorder:
    """A `start_response` that remembers what it was given, to be passed on later. Flask calls it before it returns."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: Headers = []
        self.exc_info: Any = None

    def __call__(self, status: str, headers: Headers, exc_info: Any = None, /) -> Callable[[bytes], object]:
        self.status, self.headers, self.exc_info = status, headers, exc_info
        return _refuse_writing

    @property
    def may_be_kept(self) -> bool:
        """Whether it is a whole answer with an entity tag, and for everyone."""
        if not self.status.startswith("200 "):
            return False
        values = {name.lower(): value for name, value in self.headers}
        return "etag" in values and "set-cookie" not in values and "public" in values.get("cache-control", "")


def _refuse_writing(_data: bytes) -> None:
    raise NotImplementedError("Flask answers by what it returns")


def _pass_on(
    recorder: _Recorder, chunks: Iterable[bytes], environ: WSGIEnvironment, start_response: StartResponse, outcome: str
) -> Iterable[bytes]:
    """Answer what Flask has answered; in what could have been kept, say why it was asked."""
    noted = []
    if MARK in environ:
        noted, environ[OUTCOME] = [("X-Cache", outcome)], outcome
    start_response(recorder.status, [*recorder.headers, *noted], recorder.exc_info)
    return chunks


def _key(environ: WSGIEnvironment) -> Key:
    return (
        environ["wsgi.url_scheme"],
        environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}",
        environ.get("SCRIPT_NAME", ""),
        environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""),
        _language(environ.get("HTTP_ACCEPT_LANGUAGE", "")[:_MAX_LANGUAGE_LENGTH]),
    )


@lru_cache(maxsize=1024)
def _language(accepted: str) -> str:
    return parse_accept_header(accepted, LanguageAccept).best_match(LANGUAGES) or LANGUAGES[0]


def _make_answer(headers: Headers, body: bytes, route: str) -> Answer:
    shared = [(name, value) for name, value in headers if name.lower() not in _OWN_HEADERS]
    not_modified = shared.copy()
    remove_entity_headers(not_modified)
    etag = next(value for name, value in shared if name.lower() == "etag")
    return Answer(shared, not_modified, etag, body, route)


def _respond(answer: Answer, environ: WSGIEnvironment, start_response: StartResponse, outcome: str) -> Iterable[bytes]:
    environ[ROUTE], environ[OUTCOME] = answer.route, outcome
    own = (("X-Request-ID", request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))), ("X-Cache", outcome))
    # As `grocery.web.add_etag`: If-Match has no effect on reads, where Werkzeug would answer 412.
    is_conditional = "HTTP_IF_NONE_MATCH" in environ and "HTTP_IF_MATCH" not in environ
    if is_conditional and not is_resource_modified(environ, answer.etag):
        start_response("304 NOT MODIFIED", [*answer.not_modified_headers, *own])
        return ()
    start_response("200 OK", [*answer.headers, *own])
    return () if environ["REQUEST_METHOD"] == "HEAD" else (answer.body,)


def _read(chunks: Iterable[bytes]) -> bytes:
    """The whole body; what the application has to close is closed."""
    closing = ClosingIterator(chunks, getattr(chunks, "close", None))
    try:
        return b"".join(closing)
    finally:
        closing.close()
