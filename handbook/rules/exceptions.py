"""FM014 to FM016: what authors allow."""

from __future__ import annotations

from collections.abc import Iterator

from handbook.diagnostics import Finding, Severity
from handbook.handbook import Handbook
from handbook.rules.engine import Context, rule


@rule("FM014", "unused-suppression", over=Handbook)
def unused_suppression(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A suppression silences something: its code is found on the line below it.

    Why: one that silences nothing is left over, and would hide the next fault there.

    Bad:
        <!-- handbook: allow MD012 until 2027-01-31: the importer writes it so -->

        ### Load
    Good:
        ### Load
    """
    for suppression in context.useless:
        message = f"{suppression.rule} is not found on the line below"
        yield Finding(suppression.at, message, "take the suppression out")


@rule("FM015", "suppression-without-reason", over=Handbook)
def suppression_without_reason(handbook: Handbook) -> Iterator[Finding]:
    """A suppression names one rule, by its code or its name, and a reason, and if it ends the day.

    `handbook: allow RULE: reason`, or `handbook: allow RULE until YYYY-MM-DD: reason`, in a comment.

    Why: whoever meets it has to know whether it still holds.

    Bad:
        <!-- handbook: allow MD012 -->

        ### Load
    Good:
        ### Load
    """
    for suppression in handbook.suppressions:
        if suppression.rule is None:
            hint = "handbook: allow RULE until YYYY-MM-DD: reason"
            yield Finding(
                suppression.at, "a suppression that cannot be read, or has no reason", hint
            )


@rule("FM016", "expired-suppression", over=Handbook, severity=Severity.WARNING)
def expired_suppression(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """A suppression has not come to its end. One that has still silences.

    Why: what was allowed until then was to be mended by then.

    Bad:
        # handbook: allow FM010 until 2026-06-30: both offices share a name
        deciders: [order-team, order-team, platform-team]
    Good:
        deciders: [order-team, platform-team]
    """
    for suppression in handbook.suppressions:
        if suppression.rule and suppression.until and suppression.until < context.today:
            yield Finding(
                suppression.at,
                f"the suppression ended on {suppression.until}",
                "mend it, or allow it anew",
            )
