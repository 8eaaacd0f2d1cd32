"""Severity of PTSD, what drives it, and how it shows on the CAPS-5 and the PCL-5.

    theta_ss = th0 + w_I I (1 - X) - w_S (S - S_0) - w_G N - w_E E - w_P P - b_nat(t)     CAPS-5 points
    theta'   = (theta_ss - theta) / tau_th          th0 = baseline - w_I I_0 (1 - X_0)    per day
    sigma'   = (f(theta) - sigma) / tau_sig         f = max(0, 1 + g_sig (theta/baseline - 1)) sigma_0
    E'       = (adh Emax dose/(D50 + dose) - E) / tau_E                                   sertraline or the like
    P'       = (P_belief - P) / tau_P               logit P(belief) = b0 + arm + b1 CADSS rise + b2 systolic rise
    b_nat(t) = b_inf (1 - exp(-t / tau_b))          natural course and regression to the mean

A cluster c of symptoms takes the synaptic part with its own loading: c = theta - (L_c - 1) w_S (S - S_0). With
z = (c - theta_ref) / theta_scale an item answers k or more with probability logistic(a (z - b_k - d)).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology import PharmacologyError

Array = NDArray[np.float64]

CAPS5_HIGHEST = 80.0
RESPONSE = 0.30  # a fall of this share of the observed baseline
SETTINGS = ("civilian", "military")
ARMS = {
    "even odds": "a_even",
    "two to one": "a_21",
    "midazolam": "a_mid",
    "daily pill": "a_pill",
    "open label": "a_open",
    "under anaesthesia": "a_anaes",
}
CLUSTERS = {"intrusion": range(1, 6), "avoidance": range(6, 8), "negative mood": range(8, 15), "arousal": range(15, 21)}
LOADINGS = {"intrusion": "L_B", "avoidance": "L_C", "negative mood": "L_D", "arousal": "L_E"}


class TreatmentError(PharmacologyError):
    """A treatment cannot be used: says the value, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Ssri:
    """A daily dose in mg of sertraline, or the equivalent, from one day to another."""

    dose_mg_per_day: float
    start_day: float = 0.0
    stop_day: float = math.inf

    def __post_init__(self) -> None:
        if not (math.isfinite(self.dose_mg_per_day) and self.dose_mg_per_day > 0):
            raise TreatmentError(f"SSRI of {self.dose_mg_per_day:g} mg a day; it must be above zero (or leave it out)")
        if not 0 <= self.start_day < self.stop_day:
            raise TreatmentError(
                f"SSRI from day {self.start_day:g} to day {self.stop_day:g}; it starts on day 0 or later, then stops"
            )


@dataclass(frozen=True, slots=True)
class Symptoms:
    """Weights in CAPS-5 points, times in days."""

    baseline: float
    memory_weight: float
    synapse_weight: float
    signal_weight: float
    ssri_weight: float
    expectancy_weight: float
    ssri_maximum: float
    ssri_half_dose_mg: float
    adherence: float
    ssri_time_days: float
    expectancy_time_days: float
    natural_fall: float
    natural_time_days: float
    severity_time_days: float
    stress_gain: float
    stress_time_days: float
    stress_at_start: float
    rest: float  # th0: severity with no memory pull

    @classmethod
    def of(cls, p: Mapping[str, float], setting: str = "civilian") -> Symptoms:
        """The values ``p``; in a military setting r_mil lowers both drug weights."""
        if setting not in SETTINGS:
            raise TreatmentError(f"setting {setting!r}; it must be {' or '.join(SETTINGS)}")
        factor = p["r_mil"] if setting == "military" else 1.0
        return cls(
            baseline=p["theta_0"],
            memory_weight=p["w_I"],
            synapse_weight=factor * p["w_S"],
            signal_weight=factor * p["w_G"],
            ssri_weight=p["w_E"],
            expectancy_weight=p["w_P"],
            ssri_maximum=p["Emax_u"],
            ssri_half_dose_mg=p["D50"],
            adherence=p["adh"],
            ssri_time_days=p["tau_E"],
            expectancy_time_days=p["tau_P"],
            natural_fall=p["b_inf"],
            natural_time_days=p["tau_b"],
            severity_time_days=p["tau_th"],
            stress_gain=p["g_sig"],
            stress_time_days=p["tau_sig"],
            stress_at_start=p["sigma_0"],
            rest=p["theta_0"] - p["w_I"] * p["I_0"] * (1 - p["X_0"]),
        )

    def natural(self, day: float) -> float:
        """b_nat, the fall by this day with no treatment at all."""
        return -self.natural_fall * math.expm1(-day / self.natural_time_days)

    def severity_target(
        self, day: float, pull: float, density_gain: float, signal: float, ssri: float, expectancy: float
    ) -> float:
        """theta_ss; ``pull`` is I (1 - X), ``density_gain`` S - S_0, ``signal`` N."""
        return (
            self.rest
            + self.memory_weight * pull
            - self.synapse_weight * density_gain
            - self.signal_weight * signal
            - self.ssri_weight * ssri
            - self.expectancy_weight * expectancy
            - self.natural(day)
        )

    def stress_target(self, severity: float) -> float:
        """f(theta), the load of stress that this severity sustains."""
        return max(0.0, 1 + self.stress_gain * (severity / self.baseline - 1)) * self.stress_at_start

    def ssri_target(self, dose_mg_per_day: float) -> float:
        """What E tends to on this dose."""
        share = dose_mg_per_day / (self.ssri_half_dose_mg + dose_mg_per_day)
        return self.adherence * self.ssri_maximum * share


def belief(p: Mapping[str, float], arm: str, cadss_rise: float, systolic_rise_mmhg: float) -> float:
    """The chance that a person believes they got the drug, from the first session's peaks above base.

    The rise is counted above the resting CADSS, so that an inert look with even odds gives logistic(b0) = 0.45.

    >>> from reprieve.pharmacology.parameters import parameter_set
    >>> round(belief(parameter_set(), "even odds", 0, 0), 2)
    0.45
    """
    if arm not in ARMS:
        raise TreatmentError(f"arm {arm!r}; the arms are {', '.join(ARMS)}")
    logit = p["b0"] + p[ARMS[arm]]
    if arm != "under anaesthesia":
        logit += p["b1"] * cadss_rise + p["b2"] * systolic_rise_mmhg
    return 1 / (1 + math.exp(-logit))


@dataclass(frozen=True, slots=True)
class Items:
    """The 20 items of the PCL-5 as graded responses; arrays of shape (20,), thresholds of shape (4,)."""

    discrimination: Array
    shift: Array
    loading: Array
    thresholds: Array
    centre: float
    width: float

    @classmethod
    def of(cls, p: Mapping[str, float]) -> Items:
        """The values ``p`` by the symbols of ``parameters.csv``."""
        numbers = range(1, 21)
        loading = {item: p[LOADINGS[cluster]] for cluster, items in CLUSTERS.items() for item in items}
        return cls(
            np.array([p.get(f"a_{item}", p["a_j"]) for item in numbers]),
            np.array([p.get(f"d_{item}", 0.0) for item in numbers]),
            np.array([loading[item] for item in numbers]),
            np.array([p[f"b_k{k}"] for k in range(1, 5)]),
            p["theta_ref"],
            p["theta_scale"],
        )

    def expected(self, severity: Array, synaptic_fall: Array) -> Array:
        """Expected answers 0 to 4; severity and w_S (S - S_0) in points, shape (T,); result (T, 20)."""
        cluster = np.asarray(severity)[:, None] - (self.loading - 1) * np.asarray(synaptic_fall)[:, None]
        z = (cluster - self.centre) / self.width
        logit = self.discrimination[:, None] * (z[..., None] - self.thresholds - self.shift[:, None])
        answers: Array = (1 / (1 + np.exp(-logit))).sum(axis=-1)
        return answers

    def pcl5(self, severity: Array, synaptic_fall: Array) -> Array:
        """Expected PCL-5 total, 0 to 80; shape (T,).

        >>> from reprieve.pharmacology.parameters import parameter_set
        >>> Items.of(parameter_set()).pcl5(np.array([42.0]), np.array([0.0])).round(1)
        array([46.8])
        """
        total: Array = self.expected(severity, synaptic_fall).sum(axis=1)
        return total


def fluctuation(
    times_days: Array, p: Mapping[str, float], noise: np.random.Generator, people: tuple[int, ...] = ()
) -> Array:
    """How people's symptoms drift by themselves, in CAPS-5 points above the first rating (Ornstein-Uhlenbeck).

    Parameters
    ----------
    times_days : shape (T,), increasing
    people : (n,) for many people at once

    Returns
    -------
    shape (T,) or (n, T) : 0 at the first
    """
    kept = np.exp(-np.diff(times_days) / p["tau_ou"])
    shocks = p["sd_ou"] * np.sqrt(1 - kept**2) * noise.standard_normal((*people, len(kept)))
    drift = np.empty((*people, len(times_days)))
    drift[..., 0] = p["sd_ou"] * noise.standard_normal(people)
    for k in range(len(kept)):
        drift[..., k + 1] = kept[k] * drift[..., k] + shocks[..., k]
    relative: Array = drift - drift[..., :1]
    return relative


def seen(expected: Array, error_sd: float, noise: np.random.Generator) -> Array:
    """What is written down of a CAPS-5 or PCL-5 total: with an error, within 0 to 80; same shape."""
    found: Array = np.clip(expected + error_sd * noise.standard_normal(np.shape(expected)), 0.0, CAPS5_HIGHEST)
    return found


def responded(baseline_seen: float, now_seen: float) -> bool:
    """Whether the fall is 30 % or more of the observed baseline."""
    return now_seen <= (1 - RESPONSE) * baseline_seen
