"""What processes count. Labels are few: routes by their templates, never the addresses that clients make up."""

from grocery.metrics.cells import Counter, Gauge, Histogram

#: Seconds. Kept answers take less than the first; the last is what proxies give up after.
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REQUESTS = Counter("grocery_http_requests", "Requests that were answered.", ("route", "method", "status"))

REQUEST_SECONDS = Histogram(
    "grocery_http_request_seconds",
    "Time from a request to the beginning of its answer, in seconds.",
    ("route", "method"),
    bounds=_BOUNDS,
)

KEPT_ANSWERS = Counter(
    "grocery_kept_answers", "Requests that kept answers are for: a hit, a miss, or nothing was kept.", ("outcome",)
)

SIGN_INS_REFUSED = Counter(
    "grocery_sign_ins_refused", "Sign-ins and registrations that were sent away since too many came at once."
)

REQUESTS_UNDER_WAY = Gauge("grocery_http_requests_under_way", "Requests that are being worked on, or wait for it.")

POOL_IN_USE = Gauge("grocery_db_pool_in_use", "Connections to PostgreSQL that requests have taken from the pools.")

KINDS = (REQUESTS, REQUEST_SECONDS, KEPT_ANSWERS, SIGN_INS_REFUSED, REQUESTS_UNDER_WAY, POOL_IN_USE)
