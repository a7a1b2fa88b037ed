"""Having the doctor look at something."""

from collections.abc import Sequence
from typing import Any

from flask import Flask

from grocery.config import Settings, load_settings
from grocery.doctor.checks import CHECKS
from grocery.doctor.examining import Patient, examine
from grocery.doctor.findings import Finding, Level
from grocery.engines import Engines

#: A shop with customers, about which there is nothing to say.
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://shop:Zk8vQ2mX7pLw@db.shop.example/shop?sslmode=verify-full",
    "REDIS_URL": "rediss://:Rt5yUi9oPa3s@redis.shop.example/0",
    "SECRET_KEY": "q7RZk1w9XcVb3Nm5As8Df2Gh6JkL4PoI0uYt",
    "JWT_SECRET_KEYS": "k2:M8nB4vC6xZ1lK9jH3gF7dS5aP2oI0uYtReWq,k1:T5rE9wQ2yU7iO1pA6sD4fG8hJ3kL0zXcVbNm",
    "SHOP_NAME": "Mama Njeri",
    "SHOP_URL": "https://shop.example",
    "STREAM_URL": "https://live.shop.example",
    "TRUSTED_HOSTS": ".shop.example,shop.example",
    "TRUSTED_PROXIES": "1",
    "SMS_BACKEND": "africastalking",
    "AT_USERNAME": "mamanjeri",
    "AT_API_KEY": "atsk_9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "AT_SENDER_ID": "MAMANJERI",
    "AT_CALLBACK_SECRET": "cB7nM2kL9pQ4wE8rT1yU",
    "SMS_DAILY_BUDGET": "500",
    "MAIL_BACKEND": "smtp",
    "MAIL_SERVER": "mail.shop.example",
    "MAIL_USERNAME": "shop",
    "MAIL_PASSWORD": "Hj6kL8mN3bV5cX",
    "MAIL_FROM": "shop@shop.example",
    "MAIL_CALLBACK_SECRET": "mB3vC9xZ7lK1jH5gF8dS",
    "MEDIA_BACKEND": "s3",
    "S3_ENDPOINT": "https://s3.shop.example",
    "S3_BUCKET": "pictures",
    "S3_ACCESS_KEY": "AKIA",
    "S3_SECRET_KEY": "wJ4rX7tF2nK9mD6gH1bP",
    "ADMIN_EMAILS": "owner@shop.example",
    "REQUIRE_TOTP": "true",
    "LOG_FORMAT": "json",
}


def look(app: Flask, name: str, settings: Settings, *, is_deep: bool = False) -> Sequence[Finding]:
    """What one check finds in a shop with these settings."""
    patient = Patient(app, settings, Engines(settings), is_deep=is_deep)
    [report] = examine(patient, [check for check in CHECKS if check.name == name])
    return report.findings


def said(findings: Sequence[Finding], level: Level) -> list[str]:
    """What was found of this level."""
    return [finding.what for finding in findings if finding.level is level]


def bad(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """What is worse than a hint."""
    return [(str(f.level), f.what) for f in findings if f.level in (Level.WARNING, Level.FAILURE)]


def production(**changes: Any) -> Settings:
    return load_settings({**PRODUCTION, **changes})
