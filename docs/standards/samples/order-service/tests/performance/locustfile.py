"""Load: customers who fill a cart, order and look at their order.

Run it against staging, whose Stripe key is one of the test mode, and which trusts the test key of
TEST_TOKEN_KEY. It fails when 5% of the orders
take 2 s or longer (the latency SLO), when 1% of the requests fail, or when nothing was ordered.
"""

import os
from typing import Any
from uuid import uuid4

from locust import HttpUser, between, events, task
from locust.env import Environment

from scripts.customer_token import sign

P95_MS = 2000
ERROR_RATIO = 0.01


class Customer(HttpUser):
    """Somebody who buys a book."""

    wait_time = between(0.1, 0.5)

    @task
    def order_a_book(self) -> None:
        customer_id = f"perf-{uuid4()}"
        token = sign(os.environ["TEST_TOKEN_KEY"], customer_id, issuer=os.environ["TOKEN_ISSUER"])
        headers = {"Authorization": f"Bearer {token}"}
        self.client.put(
            f"/carts/{customer_id}/books/abc123",
            json={"title": "Clean Code"},
            headers=headers,
            name="/carts/{customer_id}/books/{book_id}",
        )
        placed = self.client.post(
            "/orders",
            json={
                "customer_id": customer_id,
                "email": "performance@example.com",
                "payment_method": "pm_card_visa",
            },
            headers=headers,
        )
        if placed.ok:
            order_id = placed.json()["order_id"]
            self.client.get(f"/orders/{order_id}", headers=headers, name="/orders/{order_id}")


# --8<-- [start:thresholds]
def judge(environment: Environment, **_: Any) -> None:
    """Make the exit status tell whether the thresholds were kept."""
    orders = environment.stats.get("/orders", "POST")
    p95 = orders.get_response_time_percentile(0.95)
    failed = environment.stats.total.fail_ratio
    kept = orders.num_requests > 0 and p95 < P95_MS and failed < ERROR_RATIO
    print(f"{orders.num_requests} orders, p95 {p95} ms, {failed:.2%} of requests failed")
    environment.process_exit_code = 0 if kept else 1


events.quitting.add_listener(judge)
# --8<-- [end:thresholds]
