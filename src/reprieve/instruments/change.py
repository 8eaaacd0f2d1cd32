"""How far a total has moved, and whether that is more than the instrument's own noise."""

from __future__ import annotations

from dataclasses import dataclass

from reprieve.instruments.instrument import Change, Instrument, InstrumentError
from reprieve.instruments.score import AnswerError
from reprieve.instruments.tables import find


@dataclass(frozen=True, slots=True)
class Changed:
    """What one rule says of a change: ``improved``, ``worsened`` or ``no_clear_change``."""

    rule: Change
    points: int
    result: str


def reliable_change(instrument: Instrument | str, before: int, after: int) -> tuple[Changed, ...]:
    """Judge the change between two totals by each published rule, since the rules disagree.

    Parameters
    ----------
    before, after : totals; lower is better

    Raises
    ------
    InstrumentError : if no rule was found for the instrument
    AnswerError : if a total is not one that the instrument can give

    Examples
    --------
    Twelve points fewer on the PCL-5 count by the older guidance, not by the newer.

    >>> [changed.result for changed in reliable_change("PCL-5", before=50, after=38)]
    ['improved', 'improved', 'no_clear_change', 'no_clear_change']
    """
    instrument = find(instrument) if isinstance(instrument, str) else instrument
    if not instrument.changes or instrument.total_bounds is None:
        raise InstrumentError(
            f"no rule of reliable change was found for {instrument.id}; compare the totals as they are"
        )
    low, high = instrument.total_bounds
    for total in (before, after):
        if isinstance(total, bool) or not isinstance(total, int) or not low <= total <= high:
            raise AnswerError(
                f"{instrument.id}: {total!r} is not a total; it must be a whole number from {low} to {high}"
            )
    points = after - before
    return tuple(Changed(rule, points, _judge(rule, points)) for rule in instrument.changes)


def _judge(rule: Change, points: int) -> str:
    if abs(points) < rule.points:
        return "no_clear_change"
    return "improved" if points < 0 else "worsened"
