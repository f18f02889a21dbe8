"""Payments: Stripe takes the money."""

import stripe

from order_service.domain import Order, PaymentDeclinedError
from order_service.orders import PaymentUnclearError


class StripePayments:
    """Charges an order once, however often it is asked to."""

    gateway = "stripe"

    def __init__(self, secret_key: str, base_url: str) -> None:
        # --8<-- [start:retries]
        self._http = stripe.HTTPXClient(timeout=5)
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": base_url},
            http_client=self._http,
            max_network_retries=2,
        )
        # --8<-- [end:retries]

    async def charge(self, order: Order, payment_method: str) -> None:
        """Charge the total; a stripe.RateLimitError is passed on, for nothing was charged."""
        try:
            payment = await self._client.v1.payment_intents.create_async(
                {
                    "amount": order.total.minor_units,
                    "currency": order.total.currency.lower(),
                    "payment_method": payment_method,
                    "confirm": True,
                    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                    "metadata": {"order_id": order.id},
                },
                # Stripe answers a repeated key with the first result, so a retry is safe.
                {"idempotency_key": order.id},
            )
        except stripe.CardError as error:
            raise PaymentDeclinedError("the card was declined") from error
        except (stripe.APIConnectionError, stripe.APIError) as error:
            raise PaymentUnclearError("no clear answer from the gateway") from error
        if payment.status != "succeeded":
            raise PaymentDeclinedError(f"the payment is {payment.status}")

    async def close(self) -> None:
        """Close the connections to the gateway."""
        await self._http.close_async()
