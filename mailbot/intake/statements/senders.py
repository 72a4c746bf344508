"""Whether sentences were written by a machine, or to advertise: for messages whose headers do not show it (RFC 3834 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailbot.model import Statement

Writer = Literal["person", "machine", "advertiser", "unclear"]

_LIKELY, _CERTAIN = 0.7, 0.9
_SILENT = ("courtesy", "address", "machine", "sales")
"""The classes of sentences that do not show that a person wants something of us."""

_MIN_ADVERTISING = 2
"""The minimum number of sentences that are certain to advertise: a single one may be an application for a job."""


def writer(statements: Iterable[Statement]) -> Writer:
    """Return who wrote the new text of a message, by what it says.

    "unclear": some sentences are typical of machines or advertising, and none clearly comes from a person who wants something.
    """
    own = [each for each in statements if each.origin in ("own", "subject", "row", "passed_on")]
    personal = [each for each in own if each.statement_class not in _SILENT]
    typical = [each for each in own if each.statement_class in ("machine", "sales") and each.certainty >= _LIKELY]
    names_unit = any("<SERIAL>" in each.masked for each in own)
    if not typical or names_unit or any(each.certainty >= _LIKELY for each in personal):
        return "person"
    if personal or max(each.certainty for each in typical) < _CERTAIN:
        return "unclear"
    if any(each.statement_class == "machine" for each in typical):
        return "machine"
    return "advertiser" if sum(each.certainty >= _CERTAIN for each in typical) >= _MIN_ADVERTISING else "unclear"
