"""Examples for the API's documentation."""

PAID = {"amount": "1250.00", "collector_id": 3, "note": "At the gate"}

PAYMENT = {
    "id": 88,
    "order_id": 412,
    "order_number": "G-7K3M9Q",
    "method": "cash_on_delivery",
    "kind": "capture",
    "amount": "1250.00",
    "collector_id": 3,
    "actor_id": 2,
    "note": "At the gate",
    "at": "2026-11-26T15:40:00Z",
}

CASH_UP = {
    "collector_id": 3,
    "collector": "Peter Otieno",
    "orders": 14,
    "collected": "18250.00",
    "refunded": "200.00",
    "net": "18050.00",
    "expected": "18150.00",
    "difference": "-100.00",
    "currency": "KES",
}

CASH_UP_CSV = (
    "collector_id,collector,orders,collected,refunded,net,expected,difference,currency\r\n"
    "3,Peter Otieno,14,18250.00,200.00,18050.00,18150.00,-100.00,KES\r\n"
)
