from decimal import Decimal

from order_service.domain import Book, BookId, Cart, CartItem, Coupon, CustomerId, Money


def test_cart_with_coupon_gives_discounted_total() -> None:
    book = Book(BookId("b-1"), "Clean Code", Money(Decimal("100.00"), "USD"))
    cart = Cart(CustomerId("c-1"), [CartItem(book)], Coupon("SAVE20", percent=20))

    cart.total()
