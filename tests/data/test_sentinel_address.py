import pytest

from grocery.config import ConfigError, load_settings
from grocery.environ.sentinel import SentinelAddress, read_sentinel_url


def test_every_part_of_an_address_is_read() -> None:
    url = "redis+sentinel://shop:s%40cret@one:26380,two,[::1]:7/mymaster/3?sentinel_username=s&sentinel_password=p%26w"
    assert read_sentinel_url(url) == SentinelAddress(
        hosts=(("one", 26380), ("two", 26379), ("::1", 7)),
        service="mymaster",
        database=3,
        username="shop",
        password="s@cret",
        sentinel_username="s",
        sentinel_password="p&w",
    )


def test_the_short_form_means_database_0_and_nobody_signs_in() -> None:
    assert read_sentinel_url("redis+sentinel://one/main") == SentinelAddress((("one", 26379),), "main")
    assert read_sentinel_url("redis+sentinel://:pw@one/main").password == "pw"


def test_a_plus_in_a_password_is_one() -> None:
    address = read_sentinel_url("redis+sentinel://u:a+b@one/main?sentinel_password=c+d%2B")
    assert (address.password, address.sentinel_password) == ("a+b", "c+d+")


def test_secrets_are_not_shown() -> None:
    assert "hidden" not in repr(read_sentinel_url("redis+sentinel://u:hidden@one/main?sentinel_password=hidden"))


@pytest.mark.parametrize(
    "rest",
    [
        *("", "one", "one/", "/main", "one,/main", "one:0/main", "one:99999/main", "a:secret/word@one/main"),
        *("one/main/x", "one/main?password=secret", "one/main?x", "o ne/main", "one/main/0/1"),
    ],
)
def test_what_is_no_address_is_refused_without_showing_it(rest: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({"REDIS_URL": f"redis+sentinel://{rest}"})
    expected = "REDIS_URL is no address such as redis+sentinel://host:26379,host2:26379/mymaster."
    assert expected in caught.value.problems
    assert "secret" not in str(caught.value)
