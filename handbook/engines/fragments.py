"""Parts of a page's template that are the same on many pages, rendered once.

What Material puts around a record, its bar, tabs, navigation and scripts, differs with the depth and the section of the
page alone, and takes most of a template's time. A template says `{% call once("tabs") %}…{% endcall %}`; what stands in
between must depend on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from jinja2 import pass_context
from jinja2.runtime import Context


def once(place: Callable[[Context], Hashable | None]) -> Callable[..., str]:
    """A function for the templates of one build, which keeps what it is called around by its name and a page's place.

    `place` answers the same for all pages around which a fragment is the same; None for a page that is like no other.
    What is kept ends with the function.
    """
    kept: dict[tuple[str, Hashable], str] = {}

    @pass_context
    def fragment(context: Context, name: str, caller: Callable[[], str]) -> str:
        here = place(context)
        if here is None:
            return caller()
        if (name, here) not in kept:
            kept[name, here] = caller()
        return kept[name, here]

    return fragment
