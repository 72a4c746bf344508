"""Checks of the values in a rules file: the format of RMA numbers, periods and amounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter

from mailbot.policy.dates import holidays
from mailbot.policy.rules import Fee, Reminders, Rules
from mailbot.strict_toml import ConfigError

LONGEST_PERIOD = 1200
"""The longest period, in days or months: a larger value is a typo, and dates must stay within the calendar."""


def verify(rules: Rules, file: str) -> None:
    """Check all values.

    Raises:
        ConfigError: describes the first problem.
    """
    _number(rules.number.format, f"{file}: number.format")
    for name, value, least in _periods(rules):
        if not least <= value <= LONGEST_PERIOD:
            raise ConfigError(f"{file}: {name}: {value} is out of range. Use {least} to {LONGEST_PERIOD}.")
    for name, period in (("missing", rules.deadlines.missing), ("quote", rules.deadlines.quote)):
        _reminders(period, f"{file}: deadlines.{name}")
    hour = rules.deadlines.hour.value
    if not 0 <= hour <= 23:  # noqa: PLR2004 - hours of a day
        raise ConfigError(f"{file}: deadlines.hour: {hour} is not an hour. Use 0 to 23.")
    calendar = rules.deadlines.repair.holidays
    try:
        holidays(calendar)
    except (NotImplementedError, AttributeError) as error:
        raise ConfigError(
            f"{file}: deadlines.repair.holidays: {calendar!r}: {error}. Use a country code such as US or US-CA, or leave it empty."
        ) from None
    for name, fee in rules.fees.items():
        _fee(fee, f"{file}: fees.{name}")


def _number(form: str, where: str) -> None:
    """Check that numbers in this format are unique, differ from other words, and end with the check digit."""
    try:
        fields = {name for _, name, _, _ in Formatter().parse(form) if name is not None}
        fits = {"sequence", "check"} <= fields <= {"year", "sequence", "check"}
        fits = fits and len({form.format(year=2026, sequence=n, check=0) for n in (1, 2)}) > 1
    except (ValueError, LookupError):
        fits = False
    if not fits:
        raise ConfigError(f"{where}: {form!r} must contain {{sequence}} and {{check}}, and may contain {{year}}.")
    if not form.endswith("{check}"):
        raise ConfigError(f"{where}: {form!r} must end with {{check}}, the check digit.")
    if not re.match(r"[A-Z]{2}[A-Z-]*\{", form):
        raise ConfigError(f"{where}: {form!r} must begin with capital letters, such as RMA-: emails are searched for this prefix.")


def _periods(rules: Rules) -> Iterator[tuple[str, int, int]]:
    """Yield the name, the value and the minimum of each period."""
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
    if not all(1 <= day <= LONGEST_PERIOD for day in (*period.remind, period.close)):
        raise ConfigError(f"{where}: days must be from 1 to {LONGEST_PERIOD}. Correct remind or close.")
    if any(day >= period.close for day in period.remind):
        raise ConfigError(f"{where}: a reminder on or after the day of closing is never sent. Correct remind or close.")


def _fee(fee: Fee, where: str) -> None:
    if not (fee.amount.is_finite() and fee.amount >= 0):
        raise ConfigError(f'{where}: {fee.amount} is not an amount. Use a number such as "150.00".')
    if not re.fullmatch("[A-Z]{3}", fee.currency):
        raise ConfigError(f"{where}: {fee.currency!r} is not a currency code. Use one such as USD (ISO 4217).")
