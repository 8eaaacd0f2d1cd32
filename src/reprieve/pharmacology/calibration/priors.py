"""What is believed about a parameter before its level's data: a standard normal score turned into a value.

A range in ``parameters.csv`` becomes a width. A value that was measured, derived or assumed has its range taken as the
central 95 % of a log-normal about it. A value that was *calibrated*, chosen by hand with these very data in view, has
it taken as the central 68 %, twice as wide: else the data would count twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy.special import ndtr

from reprieve.pharmacology.calibration import CalibrationError
from reprieve.pharmacology.parameters import table

SHAPES = ("lognormal", "uniform", "normal")
WIDE, USUAL = 1.0, 1.959963984540054  # standard deviations from the middle to an end of the range


@dataclass(frozen=True, slots=True)
class Prior:
    """A parameter with its prior: ``lognormal`` (median, sd of the log), ``uniform`` (ends), ``normal`` (mean, sd)."""

    symbol: str
    shape: str
    first: float
    second: float
    unit: str
    how: str

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise CalibrationError(f"{self.symbol}: shape {self.shape!r}; it must be one of {', '.join(SHAPES)}")
        if self.second <= (self.first if self.shape == "uniform" else 0):
            raise CalibrationError(f"{self.symbol}: a prior without width; give one with width")

    @classmethod
    def of(cls, symbol: str) -> Prior:
        """The prior of a symbol of ``parameters.csv`` from its value and range.

        >>> round(Prior.of("CL").second, 2), round(Prior.of("w_S").second, 2)
        (0.17, 0.75)
        """
        row = table()[symbol]
        if row.low is None or row.high is None or row.low <= 0 or row.high <= row.low:
            raise CalibrationError(f"{symbol} has no range above zero in parameters.csv; give it a prior by hand")
        if row.value in (row.low, row.high):
            return cls(symbol, "uniform", row.low, row.high, row.unit, "anywhere in its range")
        share, words = (WIDE, "68 %") if row.level == "calibrated" else (USUAL, "95 %")
        width = math.log(row.high / row.low) / (2 * share)
        return cls(
            symbol, "lognormal", row.value, width, row.unit, f"{row.level}; {row.low:g} to {row.high:g} as {words}"
        )

    @classmethod
    def ours(cls, symbol: str, median: float, log_sd: float, unit: str, how: str) -> Prior:
        """A log-normal prior that is in no table."""
        return cls(symbol, "lognormal", median, log_sd, unit, how)

    @property
    def is_in_table(self) -> bool:
        """Whether it is a symbol of ``parameters.csv``, whose fitted median later levels take."""
        return self.symbol in table()

    def value(self, score: Any, cdf: Any = ndtr, exp: Any = math.exp) -> Any:
        """The value at a standard normal score; ``cdf`` and ``exp`` for arrays of another library."""
        if self.shape == "lognormal":
            return self.first * exp(self.second * score)
        if self.shape == "uniform":
            return self.first + (self.second - self.first) * cdf(score)
        return self.first + self.second * score

    def middle(self, share: float = 0.9) -> tuple[float, float, float]:
        """Median, and the ends of the central ``share``."""
        reach = {0.9: 1.6448536269514722, 0.95: USUAL}[share]
        low, median, high = (float(self.value(score)) for score in (-reach, 0.0, reach))
        return median, low, high
