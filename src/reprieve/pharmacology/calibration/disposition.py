"""Level 1, where the drug goes: the same linear system as ``compartments.py``, in JAX, fitted to measured levels.

Every change of rate and every sample falls on a multiple of five minutes. So the states are exact: one matrix
exponential gives what a step's infusion leaves behind after one step, its powers what is left after any number, and
infusions add.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.calibration import CalibrationError
from reprieve.pharmacology.calibration.level import Datum, Level, Values
from reprieve.pharmacology.calibration.numerics import jax, jnp
from reprieve.pharmacology.calibration.priors import Prior
from reprieve.pharmacology.compartments import REFERENCE_WEIGHT_KG
from reprieve.pharmacology.observations import SPECIES, Point, Reading, compare
from reprieve.pharmacology.parameters import ParameterSet

Array = NDArray[np.float64]

STEP_MIN = 5
TERMS, SQUARINGS = 7, 8
FITTED = "V1 V2 V3 CL Q2 Q3 VN VPN CLN QN fN VH CLH kv".split()
RESIDUALS = {"ketamine": "residual_ketamine", "norketamine": "residual_norketamine",
             "hydroxynorketamine": "residual_hydroxynorketamine"}  # fmt: skip
MEMORY = "residual_memory"
CURVE, PEAK, OUTSIDE = "Kamp 2020", "Zarate 2006", "Simons 2022"
PEAK_ERROR = 0.15  # of the logarithm of a mean of patients, whose number and spread are not printed


def matrix(p: Mapping[str, Any], weight_kg: float) -> jax.Array:
    """K of dx/dt = K x + R0 e1, as ``Disposition.matrix``; shape (9, 9), 1/h."""
    size = weight_kg / REFERENCE_WEIGHT_KG
    v1, v2, v3, vn, vpn, vh = (p[name] * size ** p["exp_V"] for name in ("V1", "V2", "V3", "VN", "VPN", "VH"))
    cl, q2, q3, cln, qn, clh = (p[name] * size ** p["exp_CL"] for name in ("CL", "Q2", "Q3", "CLN", "QN", "CLH"))
    free = p["fu"] * p["Kpuu"]
    k = jnp.zeros((9, 9))
    k = k.at[0, 0].set(-(cl + q2 + q3) / v1).at[0, 1].set(q2 / v2).at[0, 2].set(q3 / v3)
    k = k.at[1, 0].set(q2 / v1).at[1, 1].set(-q2 / v2).at[2, 0].set(q3 / v1).at[2, 2].set(-q3 / v3)
    k = k.at[3, 0].set(p["fN"] * cl / v1).at[3, 3].set(-(cln + qn) / vn).at[3, 4].set(qn / vpn)
    k = k.at[4, 3].set(qn / vn).at[4, 4].set(-qn / vpn)
    k = k.at[5, 3].set(p["fH"] * cln / vn).at[5, 5].set(-clh / vh)
    k = k.at[6, 0].set(p["kv"] / v1).at[6, 6].set(-p["kv"])
    k = k.at[7, 0].set(p["ke0"] * free / v1).at[7, 7].set(-p["ke0"])
    return k.at[8, 3].set(p["ke0"] * free / vn).at[8, 8].set(-p["ke0"])


def exponential(a: jax.Array) -> jax.Array:
    """exp(a) of a matrix whose norm is below about 10: a Taylor polynomial of a/256, squared eight times.

    No branches and no solves, so that its derivative is quick; right to 1e-12.
    """
    small = a / 2**SQUARINGS
    found = term = jnp.eye(len(a))
    for k in range(1, TERMS + 1):
        term = term @ small / k
        found = found + term
    for _ in range(SQUARINGS):
        found = found @ found
    return found


def states(p: Mapping[str, Any], weight_kg: float, rates_mg_per_h: Array) -> jax.Array:
    """Every state, in the order of ``compartments.STATES``, at the end of each step of five minutes.

    Parameters
    ----------
    rates_mg_per_h : shape (T,), the constant rate of each step

    Returns
    -------
    shape (T, 9)
    """
    joint = jnp.zeros((10, 10)).at[:9, :9].set(matrix(p, weight_kg)).at[0, 9].set(1.0)
    moved = exponential(joint * STEP_MIN / 60)
    carry, impulses = moved[:9, :9], moved[:9, 9:]
    while impulses.shape[1] < len(rates_mg_per_h):  # what one step's infusion leaves after 1, 2, 3 ... steps
        impulses = jnp.concatenate([impulses, carry @ impulses], axis=1)
        carry = carry @ carry
    steps = np.arange(len(rates_mg_per_h))
    ago = steps[:, None] - steps[None]
    given = np.where(ago >= 0, np.asarray(rates_mg_per_h)[ago], 0.0) * 1000 / p["MW_K"]
    return jnp.asarray(given) @ impulses[:, : len(steps)].T


def levels(p: Mapping[str, Any], weight_kg: float, found: jax.Array, species: str, site: str) -> jax.Array:
    """ng/mL of a species at each time of :func:`states`; shape (T,)."""
    size = (weight_kg / REFERENCE_WEIGHT_KG) ** p["exp_V"]
    if species == "norketamine":
        return found[:, 3] / (p["VN"] * size) * p["MW_N"]
    if species == "hydroxynorketamine":
        return found[:, 5] / (p["VH"] * size) * p["MW_H"]
    return (found[:, 6] if site == "venous" else found[:, 0] / (p["V1"] * size)) * p["MW_K"]


def rates(reading: Reading, until_min: float) -> Array:
    """The rate of each step of five minutes until this minute, mg/h."""
    assert reading.regimen is not None
    off = [change for change in reading.regimen.changes_h() if abs(change * 60 / STEP_MIN % 1 - 0.5) < 0.499]
    if off or until_min % STEP_MIN:
        raise CalibrationError(f"{reading.label}: a change or a sample off the {STEP_MIN}-minute grid")
    starts = np.arange(0, until_min, STEP_MIN) / 60 + 1e-9
    return np.array([reading.regimen.rate_mg_per_h(start) for start in starts])


def _datum(point: Point, error: float) -> Datum:
    return Datum(
        name=f"{point.species}, {point.time_min:g} min, {point.reading.site}",
        observed=float(np.log(point.observed_ng_per_ml)),
        error=error,
        unit="ng/mL",
        source=point.reading.label,
        mark="from memory, not yet checked" if point.is_recalled else "",
        is_log=True,
    )


def level(p: ParameterSet) -> Level:
    """The level; ``p`` holds what is not fitted."""
    points = [point for point in compare().points if not point.is_recalled]
    data = [point for point in points if point.reading.label in (CURVE, PEAK)]
    checks = [point for point in points if point.reading.label.startswith(OUTSIDE)]
    labels = dict.fromkeys(point.reading.label for point in (*data, *checks))
    readings = {label: next(point.reading for point in points if point.reading.label == label) for label in labels}
    given = {
        label: rates(reading, max(point.time_min for point in points if point.reading.label == label))
        for label, reading in readings.items()
    }

    def predicted(asked: Sequence[Point]) -> Callable[[Values], jax.Array]:
        curves = _curves(asked)
        order = np.argsort(np.concatenate([place for place, _ in curves.values()]))

        def predict(values: Values) -> jax.Array:
            own: dict[str, Any] = {**p, **values}
            run = {label: states(own, readings[label].weight_kg, given[label]) for label, _, _ in curves}
            found = [
                levels(own, readings[label].weight_kg, run[label][at], species, site)
                for (label, species, site), (_, at) in curves.items()
            ]
            return jnp.log(jnp.concatenate(found))[order]

        return predict

    priors = [Prior.of(symbol) for symbol in FITTED]
    priors += [
        Prior.ours(name, 0.1, 0.7, "sd of the log", "of a mean curve read off a figure; ours")
        for name in RESIDUALS.values()
    ]
    priors.append(Prior.ours(MEMORY, 0.5, 0.7, "h", "how long a curve stays off; ours"))
    return Level(
        name="pk",
        title="Where the drug goes",
        priors=tuple(priors),
        data=tuple(_datum(point, 0.0 if point.reading.label == CURVE else PEAK_ERROR) for point in data),
        predict=predicted(data),
        checks=tuple(_datum(point, 0.0) for point in checks),
        predict_checks=predicted(checks),
        covariance=_covariance(data),
        whiten=_whiten(data),
        notes=(
            "Nearly all data are one mean curve of twenty volunteers, read off a figure, and those volunteers may be "
            "among the pooled data behind the priors: partly circular. Neighbouring points of one curve err together, "
            f"so residuals are correlated over a time that is fitted too ({MEMORY}); taking them as independent would "
            "make every interval too narrow.",
            f"The venous mean of {PEAK} is given an error of {PEAK_ERROR:.0%}: neither its number of people nor its "
            "spread is printed.",
        ),
    )


def _curves(points: Sequence[Point]) -> dict[tuple[str, str, str], tuple[Array, Array]]:
    """Points by study, species and site: their places among all, and which step each falls on."""
    found: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for place, point in enumerate(points):
        key = point.reading.label, point.species, point.reading.site
        found.setdefault(key, []).append((place, round(point.time_min / STEP_MIN) - 1))
    return {key: (np.array([a for a, _ in both]), np.array([b for _, b in both])) for key, both in found.items()}


def _covariance(data: Sequence[Point]) -> Callable[[Values], jax.Array]:
    """Residuals of one species' curve are an Ornstein-Uhlenbeck process in time; the venous mean stands alone."""
    hours, species, on_curve = _places(data)
    together = (species[:, None] == species[None]) & on_curve[:, None] & on_curve[None]
    apart = np.abs(hours[:, None] - hours[None])
    own = np.diag(np.where(on_curve, 0.0, PEAK_ERROR**2))

    def covariance(values: Values) -> jax.Array:
        sds = _sds(values)[species]
        shared = jnp.where(together, sds[:, None] * sds[None] * jnp.exp(-apart / values[MEMORY]), 0.0)
        return shared + own

    return covariance


def _whiten(data: Sequence[Point]) -> Callable[[Values, jax.Array], tuple[jax.Array, jax.Array]]:
    """The same without a matrix: each residual given the one before it on its curve."""
    hours, species, on_curve = _places(data)
    before = np.full(len(data), -1)
    for k in range(len(data)):
        earlier = [j for j in range(len(data)) if on_curve[j] and species[j] == species[k] and hours[j] < hours[k]]
        if on_curve[k] and earlier:
            before[k] = max(earlier, key=lambda j: hours[j])
    gaps = np.where(before >= 0, hours - hours[before], 0.0)

    def whiten(values: Values, off: jax.Array) -> tuple[jax.Array, jax.Array]:
        kept = jnp.where(before >= 0, jnp.exp(-gaps / values[MEMORY]), 0.0)
        sds = jnp.where(on_curve, _sds(values)[species], PEAK_ERROR) * jnp.sqrt(1 - kept**2)
        return (off - kept * off[before]) / sds, jnp.sum(jnp.log(sds))

    return whiten


def _places(data: Sequence[Point]) -> tuple[Array, Array, Array]:
    """Hour, species and whether on the curve, of each point."""
    hours = np.array([point.time_min / 60 for point in data])
    species = np.array([SPECIES.index(point.species) for point in data])
    return hours, species, np.array([point.reading.label == CURVE for point in data])


def _sds(values: Values) -> jax.Array:
    return jnp.stack([values[RESIDUALS[name]] for name in SPECIES])
