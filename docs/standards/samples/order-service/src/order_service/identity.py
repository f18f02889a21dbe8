"""Identity: a signed token says who calls. The gateway checks it first, and the service again."""

from dataclasses import dataclass, field

import jwt

from order_service.domain import CustomerId, DomainError

# Only signatures with a public key: a shared secret could also sign.
ALGORITHMS = ["ES256", "RS256"]
AUDIENCE = "order-service"
# A scope of services, such as the payment-service. No customer has it.
READ_ORDERS = "orders:read"


class UnauthenticatedError(DomainError):
    """The request has no valid token."""


class ForbiddenError(DomainError):
    """The token is valid, but not for this customer."""


# --8<-- [start:caller]
@dataclass(frozen=True, slots=True)
class Caller:
    """Customer or service that sent the request."""

    subject: str
    scopes: frozenset[str] = field(default=frozenset())

    def require(self, customer_id: CustomerId) -> None:
        """Raise ForbiddenError unless the caller is this customer."""
        if self.subject != customer_id:
            raise ForbiddenError("the token belongs to another customer")

    def can_read_orders_of(self, customer_id: CustomerId) -> bool:
        """Tell whether the caller is this customer, or a service with the scope."""
        return self.subject == customer_id or READ_ORDERS in self.scopes


class TokenVerifier:
    """Checks tokens against the public keys of the identity provider."""

    def __init__(self, issuer: str, keys: str) -> None:
        self._issuer = issuer
        self._keys = jwt.PyJWKSet.from_json(keys)

    def verify(self, token: str) -> Caller:
        """Return the caller, or raise UnauthenticatedError without a reason for attackers."""
        try:
            key = self._keys[jwt.get_unverified_header(token).get("kid", "")]
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=AUDIENCE,
                issuer=self._issuer,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.InvalidTokenError, KeyError) as error:
            raise UnauthenticatedError("the request has no valid token") from error
        return Caller(claims["sub"], frozenset(str(claims.get("scope", "")).split()))


# --8<-- [end:caller]
