"""Mail: the confirmation that a customer gets."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage

from order_service.domain import Order

SENDER = "orders@bookshop.example"


class SmtpEmailService:
    """Hands mails to the relay."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def send_confirmation(self, order: Order, address: str) -> None:
        """Send the confirmation of an order."""
        # smtplib blocks; a thread of its own keeps the event loop free.
        await asyncio.to_thread(self._send, confirmation(order, address))

    def _send(self, message: EmailMessage) -> None:
        with smtplib.SMTP(self._host, self._port, timeout=1) as smtp:
            smtp.ehlo()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=ssl.create_default_context())
            smtp.send_message(message)


def confirmation(order: Order, address: str) -> EmailMessage:
    """Write the confirmation of an order."""
    message = EmailMessage()
    message["From"] = SENDER
    message["To"] = address
    message["Subject"] = f"Your order {order.id}"
    lines = [f"{item.quantity} x {item.book.title}" for item in order.items]
    total = f"Total: {order.total.amount} {order.total.currency}"
    message.set_content("\n".join(["Thank you for your order.", "", *lines, "", total]))
    return message
