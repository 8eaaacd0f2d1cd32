"""Where the drug goes: three compartments of ketamine, two of norketamine, one of hydroxynorketamine, and two readings.

Everything is linear and in moles, so the whole system is solved exactly: each eigenmode decays at its own rate, and an
infusion shifts the amplitude of every mode by that mode's steady state, off at its start and back on at its end.

    dA1/dt  = R0(t) - (CL + Q2 + Q3) A1/V1 + Q2 A2/V2 + Q3 A3/V3
    dA2/dt  = Q2 (A1/V1 - A2/V2)              dA3/dt = Q3 (A1/V1 - A3/V3)
    dAN1/dt = fN CL A1/V1 - (CLN + QN) AN1/VN + QN AN2/VPN
    dAN2/dt = QN (AN1/VN - AN2/VPN)           dAH/dt = fH CLN AN1/VN - CLH AH/VH
    dCv/dt  = kv (A1/V1 - Cv)                 dCe/dt = ke0 (fu Kpuu A1/V1 - Ce)

Amounts A are in umol, concentrations C in umol/L, time in hours. Ca = A1/V1 is arterial, Cv is what a forearm vein
shows, Ce is free drug at the effect site; CeN is the same for norketamine. Readings take nothing away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Regimen

Array = NDArray[np.float64]

STATES = ("A1", "A2", "A3", "AN1", "AN2", "AH", "Cv", "Ce", "CeN")
SITES = ("arterial", "venous")
COVARIATES = ("sex",)
REFERENCE_WEIGHT_KG = 70.0
WOMEN_CLEARANCE = 1.20  # SIGTERMANS_2009 in pk_models.csv; not retained in the pooled analysis, so off by default
WORST_CONDITION = 1e9  # beyond it two rates nearly coincide and the matrix exponential takes over


class CovariateError(PharmacologyError):
    """A covariate cannot be used: says which, the rule, and the way out."""


class SiteError(PharmacologyError):
    """No such place to draw blood from."""


@dataclass(frozen=True)
class Disposition:
    """One person's volumes in L, clearances in L/h, rates in 1/h, fractions; by symbol of ``parameters.csv``."""

    V1: float
    V2: float
    V3: float
    CL: float
    Q2: float
    Q3: float
    VN: float
    VPN: float
    CLN: float
    QN: float
    VH: float
    CLH: float
    fN: float  # noqa: N815
    fH: float  # noqa: N815
    kv: float
    ke0: float
    free_at_effect_site: float
    molar_mass_ketamine: float
    molar_mass_norketamine: float
    molar_mass_hydroxynorketamine: float

    @classmethod
    def of(cls, p: Mapping[str, float], person: Person, covariates: tuple[str, ...] = ()) -> Disposition:
        """The values ``p``, which are for 70 kg, in this person: clearances by (weight/70)^0.75, volumes by weight/70.

        >>> from reprieve.pharmacology.parameters import parameter_set
        >>> round(Disposition.of(parameter_set(), Person(weight_kg=140)).CL, 2)  # 84 x 2 ** 0.75
        141.27
        """
        size = person.weight_kg / REFERENCE_WEIGHT_KG
        volumes = {name: p[name] * size ** p["exp_V"] for name in ("V1", "V2", "V3", "VN", "VPN", "VH")}
        clearances = {name: p[name] * size ** p["exp_CL"] for name in ("CL", "Q2", "Q3", "CLN", "QN", "CLH")}
        clearances["CL"] *= clearance_factor(person, covariates)
        return cls(
            **volumes,
            **clearances,
            **{name: p[name] for name in ("fN", "fH", "kv", "ke0")},
            free_at_effect_site=p["fu"] * p["Kpuu"],
            molar_mass_ketamine=p["MW_K"],
            molar_mass_norketamine=p["MW_N"],
            molar_mass_hydroxynorketamine=p["MW_H"],
        )

    @cached_property
    def matrix(self) -> Array:
        """K of dx/dt = K x + R0 e1 with x as in :data:`STATES`; shape (9, 9), 1/h."""
        k = np.zeros((9, 9))
        k1, k2, k3 = 1 / self.V1, 1 / self.V2, 1 / self.V3
        n1, n2, h = 1 / self.VN, 1 / self.VPN, 1 / self.VH
        k[0, :3] = -(self.CL + self.Q2 + self.Q3) * k1, self.Q2 * k2, self.Q3 * k3
        k[1, :2] = self.Q2 * k1, -self.Q2 * k2
        k[2, [0, 2]] = self.Q3 * k1, -self.Q3 * k3
        k[3, [0, 3, 4]] = self.fN * self.CL * k1, -(self.CLN + self.QN) * n1, self.QN * n2
        k[4, [3, 4]] = self.QN * n1, -self.QN * n2
        k[5, [3, 5]] = self.fH * self.CLN * n1, -self.CLH * h
        k[6, [0, 6]] = self.kv * k1, -self.kv
        k[7, [0, 7]] = self.ke0 * self.free_at_effect_site * k1, -self.ke0
        k[8, [3, 8]] = self.ke0 * self.free_at_effect_site * n1, -self.ke0
        return k

    @cached_property
    def excretion(self) -> Array:
        """How fast drug leaves the six compartments for good, per unit of each state; shape (9,), 1/h."""
        leaves = np.zeros(9)
        leaves[0] = (1 - self.fN) * self.CL / self.V1
        leaves[3] = (1 - self.fH) * self.CLN / self.VN
        leaves[5] = self.CLH / self.VH
        return leaves

    def ketamine_modes(self) -> tuple[Array, Array]:
        """Rates in 1/h, fastest first, and unit-bolus coefficients of Ca in 1/L; shapes (3,) and (3,)."""
        rates, vectors = np.linalg.eig(self.matrix[:3, :3])
        order = np.argsort(rates)
        weights = vectors[0] * np.linalg.solve(vectors, np.array([1.0, 0.0, 0.0])) / self.V1
        return -rates[order].real, weights[order].real

    def umol_per_h(self, rate_mg_per_h: float) -> float:
        """A rate of racemate in moles."""
        return rate_mg_per_h * 1000 / self.molar_mass_ketamine


def clearance_factor(person: Person, covariates: tuple[str, ...]) -> float:
    """How many times faster this person clears ketamine, by the covariates that were asked for."""
    for name in covariates:
        if name not in COVARIATES:
            raise CovariateError(f"covariate {name!r}; the covariates are {', '.join(COVARIATES)}")
        if person.sex is None:
            raise CovariateError("covariate 'sex' without a sex; give female or male")
    return WOMEN_CLEARANCE if "sex" in covariates and person.sex == "female" else 1.0


@dataclass(frozen=True)
class Modes:
    """The eigenmodes of a disposition: x = vectors @ y, where dy/dt = -rates y + drive R0."""

    rates: Array
    vectors: Array
    drive: Array
    is_safe: bool

    @classmethod
    def of(cls, matrix: Array) -> Modes:
        """The modes of ``matrix``; ``is_safe`` is false if rates nearly coincide, so that amplitudes would cancel."""
        values, vectors = np.linalg.eig(matrix)
        real = bool(np.all(np.isreal(values)) and np.all(np.isreal(vectors)))
        is_safe = real and bool(np.linalg.cond(vectors) < WORST_CONDITION)
        first = np.zeros(len(matrix))
        first[0] = 1.0
        drive = np.linalg.solve(vectors.real, first) if is_safe else first
        return cls(-values.real, vectors.real, drive, is_safe)


@dataclass(frozen=True)
class Exposure:
    """Every state of one person under one regimen, exact at any time.

    Examples
    --------
    A long infusion settles at rate / clearance: 20 mg/h are 84.13 umol/h, and 84.13 / 84 is 1.0015 umol/L.

    >>> from reprieve.pharmacology.parameters import parameter_set
    >>> from reprieve.pharmacology.regimen import Infusion
    >>> week = Regimen([Infusion(start_h=0, duration_h=168, dose_mg=20 * 168)])
    >>> exposure = Exposure(Disposition.of(parameter_set(), Person()), week)
    >>> exposure.arterial_umol_per_l(np.array([168.0])).round(4)
    array([1.0015])
    """

    disposition: Disposition
    regimen: Regimen

    @cached_property
    def modes(self) -> Modes:
        """The eigenmodes."""
        return Modes.of(self.disposition.matrix)

    @cached_property
    def pieces_h(self) -> Array:
        """Times from which the rate is constant, 0 included; shape (P,)."""
        return np.array(sorted({0.0, *self.regimen.changes_h()}))

    @cached_property
    def rates_umol_per_h(self) -> Array:
        """The infusion rate in each piece; shape (P,)."""
        return np.array([self.disposition.umol_per_h(self.regimen.rate_mg_per_h(start)) for start in self.pieces_h])

    @cached_property
    def steady(self) -> Array:
        """The steady state that each piece tends to; shape (P, 9)."""
        unit = np.linalg.solve(self.disposition.matrix, -np.eye(9)[0])
        return np.outer(self.rates_umol_per_h, unit)

    @cached_property
    def amplitudes(self) -> Array:
        """Amplitude of each mode, less its steady state, at the start of each piece; shape (P, 9)."""
        steady = np.outer(self.rates_umol_per_h, self.modes.drive / self.modes.rates)
        found = np.zeros_like(steady)
        found[0] = -steady[0]
        for k in range(1, len(found)):
            decay = np.exp(-self.modes.rates * (self.pieces_h[k] - self.pieces_h[k - 1]))
            found[k] = found[k - 1] * decay + steady[k - 1] - steady[k]
        return found

    @cached_property
    def starts(self) -> Array:
        """States at the start of each piece by the matrix exponential, for rates that nearly coincide; shape (P, 9)."""
        found = np.zeros((len(self.pieces_h), 9))
        for k in range(1, len(found)):
            found[k] = self._by_exponential(k - 1, found[k - 1], self.pieces_h[k] - self.pieces_h[k - 1])
        return found

    def _by_exponential(self, piece: int, start: Array, elapsed_h: float) -> Array:
        moved: Array = expm(self.disposition.matrix * elapsed_h) @ (start - self.steady[piece]) + self.steady[piece]
        return moved

    def at(self, times_h: Array) -> Array:
        """States at each time, in the order of :data:`STATES`; shape (T, 9); zero before time 0."""
        times = np.atleast_1d(np.asarray(times_h, dtype=float))
        piece = np.maximum(np.searchsorted(self.pieces_h, times, side="right") - 1, 0)
        elapsed = np.maximum(times - self.pieces_h[piece], 0.0)
        if not self.modes.is_safe:
            slow = [self._by_exponential(k, self.starts[k], h) for k, h in zip(piece, elapsed, strict=True)]
            return np.array(slow).reshape(len(times), 9)
        free = self.amplitudes[piece] * np.exp(-np.outer(elapsed, self.modes.rates))
        states: Array = np.maximum(free @ self.modes.vectors.T + self.steady[piece], 0.0)  # no -1e-17 where it is 0
        return states

    def arterial_umol_per_l(self, times_h: Array) -> Array:
        """Total ketamine in arterial plasma, Ca; shape (T,)."""
        level: Array = self.at(times_h)[:, 0] / self.disposition.V1
        return level

    def excreted_umol(self, times_h: Array) -> Array:
        """What has left the body by each time, integrated mode by mode; shape (T,), needs safe modes."""
        return np.array([self._excreted_by(time) for time in np.atleast_1d(times_h)])

    def _excreted_by(self, time_h: float) -> float:
        ends = np.append(self.pieces_h[1:], np.inf)
        total = np.zeros(9)
        for k, (start, end) in enumerate(zip(self.pieces_h, ends, strict=True)):
            elapsed = min(time_h, end) - start
            if elapsed <= 0:
                break
            held = self.amplitudes[k] * -np.expm1(-self.modes.rates * elapsed) / self.modes.rates
            total += self.modes.vectors @ held + self.steady[k] * elapsed
        return float(self.disposition.excretion @ total)

    def ketamine_plasma_ng_per_ml(self, times_h: Array, site: str = "arterial") -> Array:
        """Total ketamine where the sample is drawn; umol/L times g/mol is ng/mL; shape (T,)."""
        if site not in SITES:
            raise SiteError(f"site {site!r}; it must be {' or '.join(SITES)}")
        states = self.at(times_h)
        level = states[:, 6] if site == "venous" else states[:, 0] / self.disposition.V1
        return level * self.disposition.molar_mass_ketamine

    def norketamine_plasma_ng_per_ml(self, times_h: Array) -> Array:
        """Total norketamine in plasma; shape (T,)."""
        return self.at(times_h)[:, 3] / self.disposition.VN * self.disposition.molar_mass_norketamine

    def hydroxynorketamine_plasma_ng_per_ml(self, times_h: Array) -> Array:
        """Total hydroxynorketamine in plasma; shape (T,)."""
        return self.at(times_h)[:, 5] / self.disposition.VH * self.disposition.molar_mass_hydroxynorketamine
