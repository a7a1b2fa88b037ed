"""The answers that one process keeps: bounded in bytes, the least recently used go first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

Headers = list[tuple[str, str]]

#: Scheme, host, root, path, query and language: all that a kept answer may depend on.
Key = tuple[str, ...]

#: Bytes of one answer. A page of 100 products has about 60,000.
MAX_ANSWER_BYTES = 256 * 1024

#: Seconds. Nothing depends on it while notifications arrive; it bounds the harm of a table that somebody forgot.
MAX_AGE_SECONDS = 60.0

# What Python's objects take beside the texts, measured: of an entry, and of each of its headers. Most answers to rare
# searches are small, and these the larger part of them.
_OVERHEAD_BYTES = 2200
_HEADER_BYTES = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with the status 200, and the headers of a 304 in its place; `route` is where it is counted."""

    headers: Headers
    not_modified_headers: Headers
    etag: str
    body: bytes
    route: str
    kept_at: float = field(default_factory=time.monotonic)

    def size(self, key: Key) -> int:
        """Bytes that it takes in memory, about."""
        texts = sum(len(name) + len(value) for name, value in self.headers)
        objects = _OVERHEAD_BYTES + _HEADER_BYTES * len(self.headers)
        return len(self.body) + texts + sum(map(len, key)) + objects


class AnswerStore:
    """Answers by key, valid for as long as somebody confirms that changes are being told. Safe between threads.

    A request remembers `generation` before it reads the database and hands it back with the answer: when anything has
    changed meanwhile, the answer may be the old one and is not kept. `clock` is in seconds.
    """

    def __init__(self, max_bytes: int, *, clock: Callable[[], float] = time.monotonic):
        self.generation = 0
        self.hits = self.misses = 0
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[Key, Answer] = OrderedDict()
        self._bytes = 0
        self._valid_until = 0.0

    @property
    def is_valid(self) -> bool:
        """Whether changes are being told, so that answers may be kept."""
        return self._clock() < self._valid_until

    @property
    def size_bytes(self) -> int:
        return self._bytes

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, key: Key) -> Answer | None:
        """The kept answer, unless it is too old or changes are not being told."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is None:
                return None
            now = self._clock()
            if now >= self._valid_until:
                return None
            if now >= answer.kept_at + MAX_AGE_SECONDS:
                self._drop(key)
                return None
            self._answers.move_to_end(key)
            self.hits += 1
            return answer

    def keep(self, key: Key, answer: Answer, generation: int) -> None:
        """Keep an answer that was begun in this generation, if that is still the current one."""
        size = answer.size(key)
        with self._lock:
            if generation != self.generation or size > MAX_ANSWER_BYTES or not self.is_valid:
                return
            if key in self._answers:
                self._drop(key)
            self._answers[key] = answer
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._answers)))

    def note_miss(self) -> None:
        with self._lock:
            self.misses += 1

    def forget(self) -> None:
        """Something has changed: drop all, and keep no answer that was begun before."""
        with self._lock:
            self.generation += 1
            self._answers.clear()
            self._bytes = 0

    def confirm(self, valid_until: float) -> None:
        """Changes up to now have been told; answers may be given until `valid_until` (of the clock)."""
        with self._lock:
            self._valid_until = valid_until

    def lose(self) -> None:
        """Changes are no longer told: give and keep nothing until the next `confirm`."""
        with self._lock:
            self._valid_until = 0.0
        self.forget()

    def _drop(self, key: Key) -> None:
        self._bytes -= self._answers.pop(key).size(key)
