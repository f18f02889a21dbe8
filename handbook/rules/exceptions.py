"""FM014 to FM016: what authors allow."""

from __future__ import annotations

from collections.abc import Iterator

from handbook.diagnostics import Finding, Severity
from handbook.handbook import Handbook
from handbook.rules.engine import Context, rule


@rule("FM014", "useless-suppression", over=Handbook)
def useless_suppression(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A suppression silences something: its code is found on the line below it.

    Why: one that silences nothing is left over, and would hide the next fault there.

    Bad:
        <!-- handbook: allow MD012 until 2027-01-31: the importer writes it so -->

        ### Load
    Good:
        ### Load
    """
    for suppression in context.useless:
        message = f"{suppression.code} is not found on the line below"
        yield Finding(suppression.at, message, "take the suppression out")


@rule("FM015", "suppression-without-reason", over=Handbook)
def suppression_without_reason(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A suppression names one code and a reason, and if it ends the day.

    `handbook: allow CODE: reason`, or `handbook: allow CODE until YYYY-MM-DD: reason`, in a comment.

    Why: whoever meets it has to know whether it still holds.

    Bad:
        <!-- handbook: allow MD012 -->

        ### Load
    Good:
        ### Load
    """
    for suppression in handbook.suppressions:
        if suppression.code is None:
            hint = "handbook: allow CODE until YYYY-MM-DD: reason"
            yield Finding(suppression.at, "a suppression that cannot be read, or has no reason", hint)


@rule("FM016", "suppression-over", over=Handbook, severity=Severity.WARNING)
def suppression_over(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A suppression has not come to its end. One that has still silences.

    Why: what was allowed until then was to be mended by then.

    Bad:
        # handbook: allow FM010 until 2026-06-30: both offices share a name
        deciders: [order-team, order-team, platform-team]
    Good:
        deciders: [order-team, platform-team]
    """
    for suppression in handbook.suppressions:
        if suppression.code and suppression.until and suppression.until < context.today:
            yield Finding(suppression.at, f"the suppression ended on {suppression.until}", "mend it, or allow it anew")
