"""What a stream process tells Prometheus of itself, in the text format: a handful of numbers, without the library.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_FAMILIES = {
    "grocery_stream_streams": ("gauge", "Streams that are open."),
    "grocery_stream_connections": ("gauge", "Connections that are open, streams among them."),
    "grocery_stream_connections_limit": ("gauge", "How many the process takes at the most."),
    "grocery_stream_dropped_total": ("counter", "Clients that did not read and were dropped."),
    "grocery_stream_database_up": ("gauge", "1 while PostgreSQL answers."),
    "grocery_stream_redis_up": ("gauge", "1 while the process hears from Redis."),
}


def write_figures(numbers: Mapping[str, int]) -> bytes:
    """The numbers by name, without "grocery_stream_" and "_total"; KeyError for one that is missing."""
    lines = []
    for name, (kind, description) in _FAMILIES.items():
        number = numbers[name.removeprefix("grocery_stream_").removesuffix("_total")]
        lines += [f"# HELP {name} {description}", f"# TYPE {name} {kind}", f"{name} {int(number)}"]
    return "\n".join([*lines, ""]).encode()
