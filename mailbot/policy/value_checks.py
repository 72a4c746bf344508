"""The figures of a rules file: the form of its numbers, its periods and its amounts must be such that something comes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter

from mailbot.policy.dates import holidays
from mailbot.policy.rules import Fee, Reminders, Rules
from mailbot.strict_toml import ConfigError

MOST = 1200
"""No period of a policy is longer, in days or months: a slip of the pen shall not outlive the calendar."""


def verify(rules: Rules, file: str) -> None:
    """Check every figure.

    Raises:
        ConfigError: for the first finding.
    """
    _number(rules.number.format, f"{file}: number.format")
    for name, value, least in _periods(rules):
        if not least <= value <= MOST:
            raise ConfigError(f"{file}: {name}: {value} does not do. Write {least} to {MOST}.")
    for name, period in (("missing", rules.deadlines.missing), ("quote", rules.deadlines.quote)):
        _reminders(period, f"{file}: deadlines.{name}")
    hour = rules.deadlines.hour.value
    if not 0 <= hour <= 23:  # noqa: PLR2004 - hours of a day
        raise ConfigError(f"{file}: deadlines.hour: {hour} is no hour. Write 0 to 23.")
    calendar = rules.deadlines.repair.holidays
    try:
        holidays(calendar)
    except (NotImplementedError, AttributeError) as error:
        raise ConfigError(
            f"{file}: deadlines.repair.holidays: {calendar!r}: {error}. Write a country's code such as US or US-CA, or nothing."
        ) from None
    for name, fee in rules.fees.items():
        _fee(fee, f"{file}: fees.{name}")


def _number(form: str, where: str) -> None:
    """Check that numbers of this form can be written, told from other words, and proved by their last digit."""
    try:
        fields = {name for _, name, _, _ in Formatter().parse(form) if name is not None}
        fits = {"sequence", "check"} <= fields <= {"year", "sequence", "check"}
        fits = fits and len({form.format(year=2026, sequence=n, check=0) for n in (1, 2)}) > 1
    except (ValueError, LookupError):
        fits = False
    if not fits:
        raise ConfigError(f"{where}: {form!r} needs {{sequence}} and {{check}}, and may have {{year}}. Mend it.")
    if not form.endswith("{check}"):
        raise ConfigError(f"{where}: {form!r} must end with {{check}}: the check digit comes last.")
    if not re.match(r"[A-Z]{2}[A-Z-]*\{", form):
        raise ConfigError(
            f"{where}: {form!r} must begin with capitals of your own, such as RMA-: numbers are told by them."
        )


def _periods(rules: Rules) -> Iterator[tuple[str, int, int]]:
    """Yield each period with the least it may be."""
    deadlines, windows = rules.deadlines, rules.windows
    yield "number.valid_days", rules.number.valid_days.value, 1
    yield "number.renew_days", rules.number.renew_days.value, 0
    yield "deadlines.repair.days", deadlines.repair.days, 1
    yield "deadlines.close.days", deadlines.close.days, 0
    for days in (*deadlines.repair.remind_before, *deadlines.repair.remind_after):
        yield "deadlines.repair.remind_before and remind_after", days, 1
    yield "deadlines.held.first", deadlines.held.first, 1
    yield "deadlines.held.every", deadlines.held.every, 1
    for days in deadlines.number.remind_before:
        yield "deadlines.number.remind_before", days, 0
    for name, family in rules.families.items():
        yield f"families.{name}.warranty_months", family.warranty_months, 0
    for name in ("credit", "exchange", "doa", "repair"):
        if (window := getattr(windows, name)) is not None:
            yield f"windows.{name}", window.value, 0


def _reminders(period: Reminders, where: str) -> None:
    if not all(1 <= day <= MOST for day in (*period.remind, period.close)):
        raise ConfigError(f"{where}: days begin with 1 and end with {MOST}. Mend remind or close.")
    if any(day >= period.close for day in period.remind):
        raise ConfigError(f"{where}: a reminder on or after the day of closing is never sent. Mend remind or close.")


def _fee(fee: Fee, where: str) -> None:
    if not (fee.amount.is_finite() and fee.amount >= 0):
        raise ConfigError(f'{where}: {fee.amount} is no amount. Write one like "150.00".')
    if not re.fullmatch("[A-Z]{3}", fee.currency):
        raise ConfigError(f"{where}: {fee.currency!r} is no currency. Write one like USD (ISO 4217).")
