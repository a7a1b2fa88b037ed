from grocery.replica.lag import Lag


def test_a_replica_that_has_all_that_was_seen_is_not_behind() -> None:
    lag = Lag()
    lag.note_primary(100.0, 5000)
    assert lag.measure(100.0, 5000) == 0.0
    lag.note_primary(101.0, 6000)
    assert lag.measure(101.25, 7000) == 0.25  # which is how long ago the primary was asked


def test_a_replica_is_behind_by_the_time_since_the_primary_was_where_it_is() -> None:
    lag = Lag()
    for second, position in enumerate((1000, 2000, 3000, 4000)):
        lag.note_primary(100.0 + second, position)
    assert lag.measure(103.5, 2500) == 2.5
    assert lag.measure(109.5, 2500) == 8.5
    assert lag.measure(109.5, 4000) == 6.5


def test_a_primary_on_which_nothing_happens_has_no_replica_that_lags() -> None:
    lag = Lag()
    for second in range(100, 200):
        lag.note_primary(float(second), 5000)
        assert lag.measure(float(second), 5000) == 0.0


def test_nothing_is_known_of_a_replica_that_has_reached_no_position_yet() -> None:
    lag = Lag()
    lag.note_primary(100.0, 5000)
    assert lag.measure(101.0, 4999) is None


def test_a_primary_that_took_over_without_all_of_the_log_is_another_one() -> None:
    lag = Lag()
    lag.note_primary(100.0, 5000)
    lag.note_primary(101.0, 4000)
    assert lag.measure(101.0, 4000) == 0.0


def test_what_is_remembered_is_bounded_and_errs_towards_being_behind() -> None:
    lag = Lag()
    for second in range(2000):
        lag.note_primary(float(second), second)
        lag.measure(float(second), 0)
    assert lag.measure(2000.0, 100) == 2000.0
    assert lag.measure(2000.0, 1990) == 10.0
