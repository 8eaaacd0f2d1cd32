"""Many people on one regimen at once: the closed form of ``compartments.py`` by partial fractions, in whole arrays.

Each reading of the linear system is a sum of exponentials whose rates are those of ketamine (three), of norketamine
(two), of the forearm vein and of the effect site. With y' = -rate y + R0(t) for each rate, from 0,

    level(t) = sum over rates of residue x y(t)         residue: of the transfer function at that rate

so one set of y serves every level. Only V1, CL, VN and CLN differ between people; the rest is shared. Where two rates
nearly coincide the residues would cancel, and that person alone goes the way of :class:`Exposure`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.compartments import Disposition, Exposure
from reprieve.pharmacology.regimen import Regimen

Array = NDArray[np.float64]

CLOSEST = 1e-5  # rates nearer to each other than this share of their size go the slower way
KETAMINE, VEIN, SITE, NORKETAMINE = slice(0, 3), 3, 4, slice(5, 7)  # places among the seven rates


@dataclass(frozen=True)
class Levels:
    """Total drug in umol/L, each of shape (N, T); ``effect_site`` is Ce / (fu Kpuu)."""

    arterial: Array
    venous: Array
    effect_site: Array
    norketamine: Array


@dataclass(frozen=True)
class Exposures:
    """Levels of N people who share ``disposition`` but for the four arrays, each of shape (N,).

    Examples
    --------
    >>> from reprieve.pharmacology.parameters import parameter_set
    >>> from reprieve.pharmacology.person import Person
    >>> typical = Disposition.of(parameter_set(), Person())
    >>> two = Exposures(typical, np.full(2, typical.V1), typical.CL * np.array([1, 2]), np.full(2, typical.VN),
    ...     np.full(2, typical.CLN), Regimen.repeated(35, 2 / 3, days=[0]))
    >>> (two.levels(np.array([2 / 3])).arterial * typical.molar_mass_ketamine).round()
    array([[253.],
           [186.]])
    """

    disposition: Disposition
    V1: Array
    CL: Array
    VN: Array
    CLN: Array
    regimen: Regimen

    @cached_property
    def rates(self) -> Array:
        """The seven rates of each person in 1/h: ketamine's, vein, effect site, norketamine's; shape (N, 7)."""
        d, n = self.disposition, len(self.V1)
        k12, k13, k21, k31 = d.Q2 / self.V1, d.Q3 / self.V1, d.Q2 / d.V2, d.Q3 / d.V3
        symmetric = np.zeros((n, 3, 3))  # similar to K of ketamine, so with the same eigenvalues
        symmetric[:, 0, 0] = (self.CL + d.Q2 + d.Q3) / self.V1
        symmetric[:, 1, 1], symmetric[:, 2, 2] = k21, k31
        symmetric[:, 1, 0], symmetric[:, 2, 0] = np.sqrt(k12 * k21), np.sqrt(k13 * k31)
        back = d.QN / d.VPN
        half = ((self.CLN + d.QN) / self.VN + back) / 2
        fast = half + np.sqrt(half**2 - back * self.CLN / self.VN)
        rates = np.empty((n, 7))
        rates[:, KETAMINE] = np.linalg.eigvalsh(symmetric)
        rates[:, VEIN], rates[:, SITE] = d.kv, d.ke0
        rates[:, NORKETAMINE] = np.stack([fast, back * self.CLN / self.VN / fast], axis=1)
        return rates

    @cached_property
    def is_close(self) -> NDArray[np.bool_]:
        """Whether two rates of a person that meet in one level nearly coincide; shape (N,)."""
        ketamine, others = self.rates[:, KETAMINE], self.rates[:, 3:]
        apart = np.abs(ketamine[:, :, None] - others[:, None, :]) / others[:, None, :]
        within = np.diff(ketamine, axis=1) / ketamine[:, 1:]
        found: NDArray[np.bool_] = (apart.min(axis=(1, 2)) < CLOSEST) | (within.min(axis=1) < CLOSEST)
        return found

    @cached_property
    def residues(self) -> Array:
        """What one unit of each rate's y adds to arterial, venous, effect-site and norketamine level; (N, 4, 7)."""
        d = self.disposition
        ketamine, vein, site, norketamine = (self.rates[:, at] for at in (KETAMINE, VEIN, SITE, NORKETAMINE))
        found = np.zeros((len(self.V1), 4, 7))

        def shared(rate: Array) -> Array:  # numerator of Ca, at s = -rate
            top: Array = (d.Q2 / d.V2 - rate) * (d.Q3 / d.V3 - rate) / self.V1[:, None]
            return top

        def over(rate: Array, others: Array) -> Array:  # product of the distances to the other poles
            product: Array = np.prod(others[:, None, :] - rate[:, :, None], axis=2)
            return product

        inner = np.stack([over(ketamine[:, [k]], np.delete(ketamine, k, axis=1))[:, 0] for k in range(3)], axis=1)
        found[:, 0, KETAMINE] = shared(ketamine) / inner
        for row, place, pole, speed in ((1, VEIN, vein, d.kv), (2, SITE, site, d.ke0)):
            pole = pole[:, None]
            found[:, row, KETAMINE] = speed * found[:, 0, KETAMINE] / (pole - ketamine)
            found[:, row, place] = speed * (shared(pole) / over(pole, ketamine))[:, 0]
        made = (d.fN * self.CL / self.VN)[:, None]
        back = d.QN / d.VPN
        found[:, 3, KETAMINE] = made * found[:, 0, KETAMINE] * (back - ketamine) / over(ketamine, norketamine)
        apart = np.stack([norketamine[:, 1] - norketamine[:, 0], norketamine[:, 0] - norketamine[:, 1]], axis=1)
        top = shared(norketamine) * (back - norketamine)
        found[:, 3, NORKETAMINE] = made * top / (over(norketamine, ketamine) * apart)
        return found

    def levels(self, times_h: Array) -> Levels:
        """The four levels at each time; 0 before time 0."""
        times = np.atleast_1d(np.asarray(times_h, dtype=float))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # of those who go the other way below
            found = self.residues @ self._y(times)
        for k in np.flatnonzero(self.is_close):
            found[k] = self._one(int(k), times)
        found = np.maximum(found, 0.0)
        return Levels(*np.moveaxis(found, 1, 0))

    def _y(self, times: Array) -> Array:
        """y of each rate at each time, (N, 7, T): over each piece it decays towards R0 / rate."""
        pieces = np.array(sorted({0.0, *self.regimen.changes_h()}))
        given = np.array([self.disposition.umol_per_h(self.regimen.rate_mg_per_h(start)) for start in pieces])
        steady = given[:, None, None] / self.rates  # (P, N, 7)
        above = np.empty_like(steady)  # y less its steady state, at the start of each piece
        above[0] = -steady[0]
        for k in range(1, len(pieces)):
            kept = np.exp(-self.rates * (pieces[k] - pieces[k - 1]))
            above[k] = above[k - 1] * kept + steady[k - 1] - steady[k]
        piece = np.maximum(np.searchsorted(pieces, times, side="right") - 1, 0)
        elapsed = np.maximum(times - pieces[piece], 0.0)
        decayed = np.exp(-self.rates[:, :, None] * elapsed)
        y: Array = decayed * np.moveaxis(above[piece], 0, 2) + np.moveaxis(steady[piece], 0, 2)
        return y

    def _one(self, k: int, times: Array) -> Array:
        """One person's four levels by the readable closed form, (4, T)."""
        own = {name: float(getattr(self, name)[k]) for name in ("V1", "CL", "VN", "CLN")}
        disposition = replace(self.disposition, **own)
        states = Exposure(disposition, self.regimen).at(times)
        scale = np.array([disposition.V1, 1.0, disposition.free_at_effect_site, disposition.VN])
        levels: Array = (states[:, [0, 6, 7, 3]] / scale).T
        return levels
