"""FM014 to FM016: suppressions, which allow a finding on one line."""

from __future__ import annotations

from collections.abc import Iterator

from handbook.diagnostics import Finding, Severity
from handbook.handbook import Handbook
from handbook.rules.engine import Context, rule


@rule("FM014", "unused-suppression", over=Handbook)
def unused_suppression(context: Context) -> Iterator[Finding]:
    """A suppression matches a finding of its rule on the line below.

    Why: an unused suppression would hide a later fault on that line.

    Bad:
        <!-- handbook: allow MD012 until 2027-01-31: the importer writes it so -->

        ### Load
    Good:
        ### Load
    """
    for suppression in context.unused_suppressions:
        yield Finding(
            suppression.at,
            f"unused suppression of {suppression.rule}",
            f"remove the comment: {suppression.rule} has no finding on the line below",
        )


@rule("FM015", "suppression-without-reason", over=Handbook)
def suppression_without_reason(handbook: Handbook) -> Iterator[Finding]:
    """A suppression has one rule, a reason and, if you want, an end date.

    Write it in a comment, with the code or the name of the rule: `handbook: allow RULE: reason`, or
    `handbook: allow RULE until YYYY-MM-DD: reason`.

    Why: later authors need the reason to decide whether the suppression is still valid.

    Bad:
        <!-- handbook: allow MD012 -->

        ### Load
    Good:
        ### Load
    """
    for suppression in handbook.suppressions:
        if suppression.rule_without_reason:
            yield Finding(
                suppression.at,
                f"suppression of {suppression.rule_without_reason} without a reason",
                f"add the reason after a colon: '{suppression.form}: reason'",
            )
        elif suppression.rule is None:
            yield Finding(
                suppression.at,
                "invalid suppression",
                "write 'handbook: allow RULE: reason', or 'handbook: allow RULE until YYYY-MM-DD: "
                "reason'",
            )


@rule("FM016", "expired-suppression", over=Handbook, severity=Severity.WARNING)
def expired_suppression(handbook: Handbook, context: Context) -> Iterator[Finding]:
    """The end date of a suppression is today or later.

    After its end date, the suppression still hides its finding.

    Why: the author promised to fix the fault before that date.

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
                f"suppression ended on {suppression.until}",
                "fix the fault on the line below, or set a later date after 'until'",
            )
