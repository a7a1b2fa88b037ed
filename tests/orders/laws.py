"""What must hold of the whole shop at any time."""

#: As what does not: the name of the law and the row that breaks it.
BROKEN = """
    WITH facts AS (
        SELECT orders.*, line.*, held.*, (
            SELECT coalesce(sum(CASE kind WHEN 'capture' THEN amount_cents ELSE -amount_cents END), 0)
            FROM payments WHERE order_id = orders.id
        ) AS payments
        FROM orders, LATERAL (
            SELECT count(*) AS lines, coalesce(sum(line_total_cents), 0) AS line_totals,
                   coalesce(sum(discount_cents), 0) AS line_discounts, coalesce(sum(vat_cents), 0) AS line_vat,
                   count(*) FILTER (WHERE product_id IS NULL) AS orphans
            FROM order_lines WHERE order_id = orders.id
        ) AS line, LATERAL (
            SELECT coalesce(sum(amount_cents), 0) AS discounts,
                   coalesce(sum(amount_cents) FILTER (WHERE kind = 'free_delivery'), 0) AS free_delivery
            FROM order_discounts WHERE order_id = orders.id
        ) AS held
    ), moved AS (
        SELECT order_id, product_id, sum(quantity) AS quantity FROM (
            SELECT order_id, product_id, delta AS quantity FROM stock_movements WHERE order_id IS NOT NULL
            UNION ALL
            SELECT order_id, product_id, coalesce(picked_quantity, line.quantity) - coalesce(checked_in_quantity, 0)
                   - coalesce((SELECT sum(quantity) FROM order_return_lines WHERE line_id = line.id), 0)
            FROM order_lines AS line JOIN orders ON orders.id = order_id
            WHERE (status <> 'cancelled' OR is_delivery_failed) AND product_id IS NOT NULL
        ) AS part GROUP BY 1, 2
    )
    SELECT 'the stock is the sum of its movements', id FROM products
    WHERE stock <> (SELECT coalesce(sum(delta), 0) FROM stock_movements WHERE product_id = products.id) OR stock < 0
    UNION ALL SELECT 'what an order has is what was taken for it', order_id FROM moved WHERE quantity <> 0
    UNION ALL SELECT 'the total is the sum of its parts, and never below nothing', id FROM facts
    WHERE total_cents <> subtotal_cents - discount_cents + delivery_fee_cents
          OR total_cents < 0 OR total_cents > subtotal_cents + delivery_fee_cents
    UNION ALL SELECT 'the subtotal is the sum of the lines', id FROM facts WHERE subtotal_cents <> line_totals
    UNION ALL SELECT 'the discount is the sum of the promotions', id FROM facts WHERE discount_cents <> discounts
    UNION ALL SELECT 'the discount is shared by lines and delivery', id FROM facts
    WHERE discount_cents <> line_discounts + free_delivery OR free_delivery > delivery_fee_cents
    UNION ALL SELECT 'the VAT is that of the lines and of the delivery', id FROM facts
    WHERE vat_cents <> line_vat + round((delivery_fee_cents - free_delivery) * 16 / 116.0)
    UNION ALL SELECT 'a line is rounded once, and its VAT is inside of what is paid for it', order_id FROM order_lines
    WHERE line_total_cents <> round(coalesce(picked_quantity, quantity) * unit_price_cents)
          OR vat_cents <> round((line_total_cents - discount_cents) * vat_rate / (100 + vat_rate))
          OR discount_cents NOT BETWEEN 0 AND line_total_cents
    UNION ALL SELECT 'payments add up to what is paid', id FROM facts WHERE paid_cents <> payments OR paid_cents < 0
    UNION ALL SELECT 'an open order has lines, all of products that there are', id FROM facts
    WHERE status IN ('pending', 'confirmed') AND (lines = 0 OR orphans > 0)
    UNION ALL SELECT 'as many places of a slot are taken as orders have it', slot.id FROM delivery_slots AS slot
    WHERE booked <> (SELECT count(*) FROM orders WHERE slot_id = slot.id AND status <> 'cancelled')
          OR booked NOT BETWEEN 0 AND capacity
    UNION ALL SELECT 'a coupon is used as often as orders hold it', promotion.id FROM promotions AS promotion
    WHERE usage_limit IS NOT NULL AND (used_count > usage_limit OR used_count <> :erased_uses + (
        SELECT count(*) FROM order_discounts AS held JOIN orders ON orders.id = held.order_id
        WHERE held.promotion_id = promotion.id AND status <> 'cancelled'
    ))
    UNION ALL SELECT 'a customer has a coupon once', promotion_id FROM (
        SELECT held.promotion_id, customer_id FROM order_discounts AS held JOIN orders ON orders.id = held.order_id
        WHERE held.code IS NOT NULL AND status <> 'cancelled' GROUP BY 1, 2 HAVING count(*) > 1
    ) AS twice
    UNION ALL SELECT 'the books of erased orders add up', ledger.id FROM sales_ledger AS ledger
    WHERE total_cents <> (SELECT sum(CAST(value ->> 'gross_cents' AS bigint)) FROM jsonb_each(vat))
          OR vat_cents <> (SELECT sum(CAST(value ->> 'vat_cents' AS bigint)) FROM jsonb_each(vat))
          OR cash_cents <> (
              SELECT coalesce(sum(CASE kind WHEN 'capture' THEN amount_cents ELSE -amount_cents END), 0)
              FROM payments WHERE payments.order_number = ledger.order_number
          )
"""
