"""What an API process and a stream process expose, with every setting that adds a metric."""

from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask

from grocery.app import create_app
from grocery.config import Settings
from grocery.stream.figures import write_figures
from tests.monitoring.exposed import exposed_samples


@pytest.fixture
def scrape(app: Flask, settings: Settings) -> str:
    """Of both, one after the other."""
    observed = create_app(
        replace(settings, sms_daily_budget=Decimal(500), database_replica_url=settings.database_url, kept_answers_mb=0)
    )
    client = observed.test_client()
    client.get("/products/")
    numbers = ("streams", "connections", "connections_limit", "dropped", "database_up", "redis_up")
    return client.get("/metrics").text + write_figures(dict.fromkeys(numbers, 1)).decode()


@pytest.fixture
def exposed(scrape: str) -> set[str]:
    """The names of all samples."""
    return exposed_samples(scrape)
