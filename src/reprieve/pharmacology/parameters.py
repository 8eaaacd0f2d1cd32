"""Every number of the model: value, unit, range, how well it is known, and where it comes from.

``parameters.csv`` holds one row a symbol. :func:`parameter_set` gives the values under a name, with overrides; a
:class:`ParameterSet` is a frozen mapping from symbol to value that the equations read.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.facts import published_models
from reprieve.sources import read_table

FILE = "parameters.csv"
LEVELS = ("measured", "derived", "calibrated", "assumed")
PROVENANCES = ("read", "recalled")

# Ketamine's own disposition as published, by the columns of pk_models.csv; values a minute become values an hour
PUBLISHED = {
    "OTTO_2021": {"V1": "V1", "CL": "CL", "Vp1": "V2", "Q1": "Q2", "Vp2": "V3", "Q2": "Q3"},
    "SIMONS_2022": {"VK1": "V1", "CLK1": "CL", "VK2": "V2", "CLK2": "Q2", "VK3": "V3", "CLK3": "Q3"},
}


def _published(model_id: str) -> dict[str, float]:
    """The values of a published model by our symbols."""
    symbols = PUBLISHED[model_id]
    return {
        symbols[row.parameter]: float(row.value) * (60 if "/min" in row.unit else 1)
        for row in published_models()
        if row.model_id == model_id and row.analyte == "S-ketamine" and row.parameter in symbols
    }


# Sets by name: what differs from the Value column, and why there is such a set.
SETS: dict[str, tuple[dict[str, float], str]] = {
    "default": (
        {},
        "parameters.csv as it stands: kf = ke = 0.02 per day and eta = 125, chosen so that relief can last",
    ),
    "start": (
        {"kf": 0.0625, "ke": 0.0625, "eta": 40.0},
        "the start values of the proposal, from rodents: kf = ke = 0.0625 per day and eta = 40; nothing else differs",
    ),
    "otto2021": (
        _published("OTTO_2021"),
        "disposition of S-ketamine by Otto 2021, fitted to venous samples: what it calls arterial is a vein",
    ),
    "simons2022": (
        _published("SIMONS_2022"),
        "disposition of S-ketamine by Simons 2022, fitted to arterial samples: higher peaks; metabolites as in default",
    ),
}


class ParameterError(PharmacologyError):
    """A parameter cannot be used: says which, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of ``parameters.csv``. ``low`` and ``high`` are None where no range was given."""

    symbol: str
    name: str
    value: float
    low: float | None
    high: float | None
    distribution: str
    unit: str
    level: str
    source: str
    provenance: str

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ParameterError(f"{self.symbol}: level {self.level!r}; it must be one of {', '.join(LEVELS)}")
        if self.provenance not in PROVENANCES:
            raise ParameterError(f"{self.symbol}: provenance {self.provenance!r}; it must be read or recalled")
        for column in ("name", "unit", "distribution", "source"):
            if not getattr(self, column):
                raise ParameterError(
                    f"{self.symbol}: {column} is empty; fill it in, 'none' or 'fixed' if there is none"
                )
        if not math.isfinite(self.value):
            raise ParameterError(f"{self.symbol}: value {self.value}; it must be a finite number")
        if not self.holds(self.value):
            raise ParameterError(
                f"{self.symbol}: value {self.value:g} is outside {self.low} to {self.high}; mend the row"
            )

    @property
    def mark(self) -> str:
        """Words to show beside the value; empty when its source was read."""
        return "from memory, not yet checked" if self.provenance == "recalled" else ""

    @property
    def cv(self) -> float | None:
        """The coefficient of variation between people, as the distribution column gives it.

        >>> table()["CL"].cv, table()["V2"].cv
        (0.17, None)
        """
        found = re.search(r"\bcv (\d+(?:\.\d+)?)", self.distribution)
        return float(found.group(1)) if found else None

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in the range, ends included; without a range any value does."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@cache
def table() -> Mapping[str, Parameter]:
    """Every parameter by symbol, in the table's order.

    Raises
    ------
    ParameterError : if a cell breaks its rule or a symbol stands twice; names the file and the line
    """
    return read(read_table(__package__, FILE))


def read(rows: list[dict[str, str]]) -> Mapping[str, Parameter]:
    """The parameters in the ``rows`` of a table, checked."""
    found: dict[str, Parameter] = {}
    for line, row in enumerate(rows, start=2):
        try:
            parameter = _parameter(row)
        except ParameterError as error:
            raise ParameterError(f"{FILE} line {line}: {error}") from None
        if parameter.symbol in found:
            raise ParameterError(f"{FILE} line {line}: {parameter.symbol} stands in the table already; drop one row")
        found[parameter.symbol] = parameter
    return found


def _parameter(row: Mapping[str, str]) -> Parameter:
    symbol = row["symbol"]
    value, low, high = (_number(symbol, column, row[column]) for column in ("value", "low", "high"))
    if value is None:
        raise ParameterError(f"{symbol}: value is empty; give a number")
    words = {name: row[name] for name in ("name", "distribution", "unit", "level", "source", "provenance")}
    return Parameter(symbol=symbol, value=value, low=low, high=high, **words)


def _number(symbol: str, column: str, cell: str) -> float | None:
    if not cell:
        return None
    try:
        return float(cell)
    except ValueError:
        raise ParameterError(f"{symbol}, column {column}: {cell!r}; it must be a number, or empty") from None


@dataclass(frozen=True)
class ParameterSet(Mapping[str, float]):
    """Values by symbol, under a name; ``changed`` holds what was overridden and ``warnings`` what to say about it.

    >>> parameter_set("start")["eta"]
    40.0
    >>> parameter_set(overrides={"formation_gain": 100})["eta"]
    100.0
    """

    name: str
    values_by_symbol: Mapping[str, float]
    changed: Mapping[str, float]
    warnings: tuple[str, ...] = ()

    def __getitem__(self, symbol: str) -> float:
        return self.values_by_symbol[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_symbol)

    def __len__(self) -> int:
        return len(self.values_by_symbol)

    def replaced(self, values: Mapping[str, float]) -> ParameterSet:
        """The same set for one person, whose values differ; symbols must be known."""
        unknown = set(values) - set(self.values_by_symbol)
        if unknown:
            raise _unknown(sorted(unknown)[0])
        return ParameterSet(self.name, {**self.values_by_symbol, **values}, self.changed, self.warnings)


def parameter_set(name: str = "default", overrides: Mapping[str, float] | None = None) -> ParameterSet:
    """The values under ``name``, with ``overrides`` by symbol or by long name.

    Raises
    ------
    ParameterError : for an unknown set or parameter (the nearest names are given), or a value that is not finite
    """
    if name not in SETS:
        raise ParameterError(f"parameter set {name!r}; the sets are {', '.join(SETS)}{_nearest(name, list(SETS))}")
    changed = _by_symbol(overrides)
    for symbol, value in changed.items():
        _check_override(symbol, value)
    values = {symbol: parameter.value for symbol, parameter in table().items()} | SETS[name][0] | changed
    return ParameterSet(name, values, changed, tuple(_warnings(changed)))


def set_from_csv(text: str, name: str = "file", overrides: Mapping[str, float] | None = None) -> ParameterSet:
    """The default set with the values in a CSV table that has a ``symbol`` (or ``name``) and a ``value`` a row.

    A ``unit``, where there is one, must be the table's own; other columns are not read, so that what
    ``reprieve parameters --csv`` prints can be changed and read again.

    >>> set_from_csv("symbol,value,unit\\neta,100,none\\n")["eta"]
    100.0

    Raises
    ------
    ParameterError : for a row that cannot be used, naming the line and the column
    """
    rows = list(csv.DictReader(io.StringIO(text)))
    header = list(rows[0]) if rows else []
    if "value" not in header or not {"symbol", "name"} & set(header):
        raise ParameterError(f"{name} line 1: the header must have symbol and value, such as symbol,value,unit")
    found: dict[str, float] = {}
    for line, row in enumerate(rows, start=2):
        try:
            symbol, value = _row_of_set(row)
        except ParameterError as error:
            raise ParameterError(f"{name} line {line}: {error}") from None
        if symbol in found:
            raise ParameterError(f"{name} line {line}: {symbol} stands above already; drop one row")
        found[symbol] = value
    changed = {symbol: value for symbol, value in found.items() if value != table()[symbol].value}
    return replace(parameter_set("default", changed | _by_symbol(overrides)), name=name)


def _row_of_set(row: Mapping[str, str]) -> tuple[str, float]:
    symbol = symbol_of((row.get("symbol") or row.get("name") or "").strip())
    value = _number(symbol, "value", (row["value"] or "").strip())
    if value is None:
        raise ParameterError(f"{symbol}: value is empty; give a number, or leave the row out")
    unit = (row.get("unit") or "").strip()
    if unit and unit != table()[symbol].unit:
        raise ParameterError(f"{symbol}: unit {unit!r}; it must be in {table()[symbol].unit}, as in {FILE}")
    return symbol, value


def _by_symbol(overrides: Mapping[str, float] | None) -> dict[str, float]:
    return {symbol_of(given): float(value) for given, value in (overrides or {}).items()}


def symbol_of(name: str) -> str:
    """The symbol of a parameter given by its symbol or its long name."""
    if name in table():
        return name
    for parameter in table().values():
        if parameter.name == name:
            return parameter.symbol
    raise _unknown(name)


# Where a value at or below this has no meaning: everything that divides, or is a rate, a volume or a half-level.
ABOVE_ZERO = (
    "MW_K MW_N MW_H V1 V2 V3 CL Q2 Q3 VN CLN VPN QN VH CLH kv fu Kpuu ke0 IC50_P IC50_I pot koff Mg Po r_NK tau_G "
    "tau_N tau_M tau_W kf ke D50 tau_E tau_P tau_b tau_th tau_sig tau_ou S50 theta_0 theta_scale C50_D C50_bp nb_k "
    "C50_sed h_sed"
).split()


def _check_override(symbol: str, value: float) -> None:
    if not math.isfinite(value):
        raise ParameterError(f"{symbol} = {value}; it must be a finite number")
    if symbol in ABOVE_ZERO and value <= 0:
        raise ParameterError(f"{symbol} = {value:g} {table()[symbol].unit}; it must be above zero")
    low = table()[symbol].low
    if value < 0 and low is not None and low >= 0:
        raise ParameterError(f"{symbol} = {value:g} {table()[symbol].unit}; it must not be negative")


def _warnings(changed: Mapping[str, float]) -> Iterator[str]:
    for symbol, value in changed.items():
        parameter = table()[symbol]
        if not parameter.holds(value):
            yield (
                f"{symbol} = {value:g} {parameter.unit} lies outside its range of "
                f"{_end(parameter.low)} to {_end(parameter.high)}; used as given"
            )


def _end(value: float | None) -> str:
    return "no limit" if value is None else f"{value:g}"


def _unknown(name: str) -> ParameterError:
    names = [*table(), *(parameter.name for parameter in table().values())]
    return ParameterError(f"parameter {name!r} is not in {FILE}{_nearest(name, names)}")


def _nearest(name: str, names: list[str]) -> str:
    folded = {each.lower(): each for each in reversed(names)}
    near = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.4)
    return f"; nearest: {', '.join(folded[each] for each in near)}" if near else ""
