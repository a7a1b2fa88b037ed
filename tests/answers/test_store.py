"""What is kept for how long: bounds, age, generations."""

import pytest

from grocery.answers.store import MAX_AGE_SECONDS, MAX_ANSWER_BYTES, Answer, AnswerStore, Key


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> AnswerStore:
    store = AnswerStore(100_000, clock=clock)
    store.confirm(clock.now + 1e6)
    return store


def key(name: object) -> Key:
    return ("http", "shop.example", "", "/products/", f"q={name}", "en")


def answer(clock: Clock, size: int = 10) -> Answer:
    return Answer([], [], '"1"', b"x" * size, "/", kept_at=clock.now)


def keep(store: AnswerStore, name: object, kept: Answer) -> None:
    store.keep(key(name), kept, store.generation)


def test_the_least_recently_used_go_first_and_the_bound_holds(store: AnswerStore, clock: Clock) -> None:
    for number in range(4):
        keep(store, number, answer(clock, 22_000))
    assert [store.find(key(number)) is not None for number in range(4)] == [True] * 4
    assert store.find(key(0))
    keep(store, 4, answer(clock, 22_000))
    assert [store.find(key(number)) is not None for number in range(5)] == [True, False, True, True, True]
    for number in range(1000):
        keep(store, number, answer(clock, 3_000))
        assert store.size_bytes <= 100_000
    assert 10 < len(store) < 40


def test_keeping_again_replaces_and_counts_once(store: AnswerStore, clock: Clock) -> None:
    keep(store, "a", answer(clock, 5000))
    size = store.size_bytes
    newer = answer(clock, 5000)
    keep(store, "a", newer)
    assert (store.find(key("a")), store.size_bytes, len(store)) == (newer, size, 1)
    store.forget()
    assert (store.find(key("a")), store.size_bytes, len(store)) == (None, 0, 0)


def test_a_large_answer_is_not_kept(clock: Clock) -> None:
    store = AnswerStore(10 * MAX_ANSWER_BYTES, clock=clock)
    store.confirm(clock.now + 1)
    keep(store, "large", answer(clock, MAX_ANSWER_BYTES))
    assert len(store) == 0
    keep(store, "fits", answer(clock, MAX_ANSWER_BYTES - 5000))
    assert len(store) == 1


def test_the_key_counts_too(store: AnswerStore, clock: Clock) -> None:
    keep(store, "x" * 200_000, answer(clock))
    assert (len(store), store.size_bytes) == (0, 0)


def test_an_answer_is_given_up_to_its_age(store: AnswerStore, clock: Clock) -> None:
    keep(store, "a", answer(clock))
    clock.now += MAX_AGE_SECONDS - 1
    assert store.find(key("a"))
    clock.now += 1
    assert store.find(key("a")) is None
    assert store.size_bytes == 0


def test_an_answer_begun_before_a_change_is_not_kept(store: AnswerStore, clock: Clock) -> None:
    before = store.generation
    store.forget()
    store.keep(key("a"), answer(clock), before)
    assert store.find(key("a")) is None
    store.keep(key("a"), answer(clock), store.generation)
    assert store.find(key("a"))


def test_nothing_is_given_nor_kept_unless_changes_are_told(store: AnswerStore, clock: Clock) -> None:
    keep(store, "a", answer(clock))
    store.confirm(clock.now + 2)
    clock.now += 2
    assert store.find(key("a")) is None
    keep(store, "b", answer(clock))
    store.confirm(clock.now + 2)  # nothing was missed: it was only late
    assert store.find(key("a"))
    assert store.find(key("b")) is None

    begun = store.generation
    store.lose()
    assert (store.is_valid, len(store)) == (False, 0)
    keep(store, "a", answer(clock))
    store.confirm(clock.now + 2)
    store.keep(key("a"), answer(clock), begun)
    assert len(store) == 0


def test_only_what_was_found_counts_as_a_hit(store: AnswerStore, clock: Clock) -> None:
    keep(store, "a", answer(clock))
    for name in ("a", "a", "b"):
        store.find(key(name))
    assert (store.hits, store.misses) == (2, 0)
