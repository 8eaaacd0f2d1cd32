"""The compiled part of the kernel: 32 people at a time, one in each lane, through every step of the grid.

Arrays are flat: place ``ROW + lane`` holds the value named ROW of that lane, so that the compiler turns each loop over
lanes into vector instructions. All lanes run the same instructions, the padding ones too, so that nobody's numbers
depend on their place. Hours throughout. The equations and their symbols are those of ``model.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

LANES = 32
# Columns of what is read of a person: symbols of parameters.csv, then what the course and the draw add
COLUMNS = (
    "V1 V2 V3 CL Q2 Q3 VN VPN CLN QN fN ke0 fu Kpuu IC50_I IC50_P pot r_NK a kf ke gam eta rho S_fix sigma_0 g_sig "
    "I_0 X_0 lx q m S50 r_X r_s theta_0 w_I w_S w_G w_E w_P b_inf adh Emax_u Dmax C50_D h Emax_s C50_bp b0 b1 b2 "
    "MW_K MW_N exp_V exp_CL k_e2 weight_kg scale arm rank"
).split()
(
    V1, V2, V3, CL, Q2, Q3, VN, VPN, CLN, QN, FN, KE0, FU, KPUU, IC50_I, IC50_P, POT, R_NK, GAIN, KF, KE, GAM, ETA, RHO,
    S_FIX, SIGMA_0, G_SIG, I_0, X_0, LX, Q, M_EXP, S50, R_X, R_S, THETA_0, W_I, W_S, W_G, W_E, W_P, B_INF, ADH, EMAX_U,
    DMAX, C50_D, HILL, EMAX_S, C50_BP, B0, B1, B2, MW_K, MW_N, EXP_V, EXP_CL, K_E2, WEIGHT, SCALE, ARM, RANK,
) = range(len(COLUMNS))  # fmt: skip
BY_PROBABILITY = -9.0  # in place of a rank: belief is its probability

# Constants of a person. Modes: three of ketamine, two of norketamine, the effect site of each.
MODES = 7
(
    K_RATE, K_STEADY, K_DRIVE,  # seven places each: rate, steady state at 1 mg/h, weight in what drives the block
    K_KETAMINE, K_NOR1, K_NOR2, K_NOR3, K_NORKETAMINE,  # from modes to ng/mL
    K_DRIVE_STEADY, K_KETAMINE_STEADY, K_NOR_STEADY,
    K_HALF_I, K_HALF_P, K_GAIN, K_REST_BLOCK, K_FORM, K_FORM_W, K_LOSS, K_LOSS_SIGMA, K_FIX, K_RHO, K_S, K_REST,
    K_MEMORY, K_SYNAPSE, K_SIGNAL, K_SSRI, K_BELIEF, K_NATURAL, K_STRESS, K_STRESS_THETA, K_FORGET, K_FORGET_SIGMA,
    K_SESSION, K_EXPONENT_Q, K_EXPONENT_M, K_HALF_LEARNING, K_X, K_SIGMA, K_THETA,
) = (LANES * each for each in (0, 7, 14, *range(21, 58)))  # fmt: skip
CONSTANTS = 58 * LANES

# What moves
(
    Y, U0, UM, U1, D1, G, N, M, W, Z, W_MID, Z_MID, W_OLD, Z_OLD, B_OLD, BM, B1_, S, X, SIGMA, THETA, PEAK_KETAMINE,
    PEAK_DRIVE, PEAK_S, LOWEST, AREA, LOWEST_G,
) = (LANES * each for each in (0, *range(7, 33)))  # fmt: skip
MOVING = 33 * LANES

# Places in a row of weights, see kernel._fill_weights
CHAIN, HALF, GLUTAMATE, AFTER, AFTER_HALF, SEVERITY, STRESS, LENGTH, WIDTH = 0, 40, 56, 64, 92, 106, 114, 122, 128

FREEDOMS = {"contract", "arcp", "nsz", "reassoc"}  # to reorder arithmetic, the same way in every lane
STATES, SUMMARIES = 13, 6  # how many the kernel gives, see kernel.STATES
SEVERITY_ROW, CAPS5_HIGHEST = 12, 80.0  # the last of the states is kept within the scale, unless asked for as it is
APART = 1e-6  # rates closer than this, relatively, are moved apart: it costs less than the digits they would cancel


def compiled(function: Callable[..., Any]) -> Any:
    """Compile on first use and keep it beside the source or in the user's cache; without either, compile anew."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": FREEDOMS}
    try:
        return njit(function, cache=True, **options)
    except RuntimeError:
        return njit(function, **options)


@compiled
def _apart(rate, other):
    return rate * (1 + 2 * APART) if abs(rate - other) < APART * other else rate


@compiled
def person(v, k, lane, peaks):
    """Constants of one person from their values ``v``; writes lane ``lane`` of ``k``."""
    size = v[WEIGHT] / 70.0
    volume, flow = size ** v[EXP_V], size ** v[EXP_CL]
    v1, vn = v[V1] * volume, v[VN] * volume
    cl = v[CL] * flow
    k10, k12, k13 = cl / v1, v[Q2] * flow / v1, v[Q3] * flow / v1
    k21, k31 = v[Q2] * flow / (v[V2] * volume), v[Q3] * flow / (v[V3] * volume)
    # ketamine: the roots of a cubic, all real and positive
    a0, a1 = k10 * k21 * k31, k10 * k31 + k21 * k31 + k21 * k13 + k10 * k21 + k31 * k12
    a2 = k10 + k12 + k13 + k21 + k31
    third = a2 / 3
    spread = math.sqrt(max(third * third - a1 / 3, 0.0))
    turn = (third * third * third - a1 * third / 2 + a0 / 2) / max(spread * spread * spread, 1e-300)
    angle = math.acos(min(max(turn, -1.0), 1.0)) / 3
    l1 = third + 2 * spread * math.cos(angle)
    l2 = third + 2 * spread * math.cos(angle - 2 * math.pi / 3)
    l2 = _apart(l2, l1)
    l3 = _apart(_apart(a0 / (l1 * l2), l1), l2)
    c1 = (k21 - l1) * (k31 - l1) / ((l2 - l1) * (l3 - l1)) / v1
    c2 = (k21 - l2) * (k31 - l2) / ((l1 - l2) * (l3 - l2)) / v1
    c3 = (k21 - l3) * (k31 - l3) / ((l1 - l3) * (l2 - l3)) / v1
    # norketamine: two rates of its own
    out, across, back = v[CLN] * flow / vn, v[QN] * flow / vn, v[QN] * flow / (v[VPN] * volume)
    both = out + across + back
    apart = math.sqrt(max(both * both - 4 * out * back, 0.0))
    m1 = (both + apart) / 2
    m2 = _apart(out * back / m1, m1)
    m1 = _apart(_apart(_apart(m1, l1), l2), l3)
    m2 = _apart(_apart(_apart(m2, l1), l2), l3)
    d1, d2 = (back - m1) / (m2 - m1), (back - m2) / (m1 - m2)
    made = v[FN] * cl / vn
    r1 = made * (d1 / (m1 - l1) + d2 / (m2 - l1))
    r2 = made * (d1 / (m1 - l2) + d2 / (m2 - l2))
    r3 = made * (d1 / (m1 - l3) + d2 / (m2 - l3))
    n1 = -made * d1 * (c1 / (m1 - l1) + c2 / (m1 - l2) + c3 / (m1 - l3))
    n2 = -made * d2 * (c1 / (m2 - l1) + c2 / (m2 - l2) + c3 / (m2 - l3))
    # effect site: everything above, seen through one more rate
    ke = _apart(_apart(_apart(_apart(_apart(v[KE0], l1), l2), l3), m1), m2)
    free = v[FU] * v[KPUU] * ke
    e1, e2, e3, f1, f2 = free / (ke - l1), free / (ke - l2), free / (ke - l3), free / (ke - m1), free / (ke - m2)
    site = -(e1 * c1 + e2 * c2 + e3 * c3)
    site_nor = -(e1 * r1 * c1 + e2 * r2 * c2 + e3 * r3 * c3 + f1 * n1 + f2 * n2)
    umol = 1000.0 / v[MW_K] * v[SCALE]
    rates = (l1, l2, l3, m1, m2, ke, ke)
    bolus = (c1, c2, c3, n1, n2, site, site_nor)
    share = 1 / v[R_NK]
    pot = v[POT]
    drive = (
        pot * e1 * (1 + share * r1), pot * e2 * (1 + share * r2), pot * e3 * (1 + share * r3), pot * share * f1,
        pot * share * f2, pot, pot * share,
    )  # fmt: skip
    total = 0.0
    for j in range(MODES):
        steady = umol * bolus[j] / rates[j]
        k[K_RATE + j * LANES + lane] = rates[j]
        k[K_STEADY + j * LANES + lane] = steady
        k[K_DRIVE + j * LANES + lane] = drive[j]
        total += drive[j] * steady
    k[K_DRIVE_STEADY + lane] = total
    k[K_KETAMINE + lane] = v[MW_K]
    k[K_KETAMINE_STEADY + lane] = v[MW_K] * umol * (c1 / l1 + c2 / l2 + c3 / l3)
    k[K_NOR1 + lane], k[K_NOR2 + lane], k[K_NOR3 + lane] = v[MW_N] * r1, v[MW_N] * r2, v[MW_N] * r3
    k[K_NORKETAMINE + lane] = v[MW_N]
    k[K_NOR_STEADY + lane] = v[MW_N] * umol * (r1 * c1 / l1 + r2 * c2 / l2 + r3 * c3 / l3 + n1 / m1 + n2 / m2)
    peaks[0 * LANES + lane], peaks[1 * LANES + lane], peaks[2 * LANES + lane] = e1, e2, e3
    _chain(v, k, lane)


@compiled
def _chain(v, k, lane):
    resting = v[KF] / (v[KF] + v[KE] * (1 + v[GAM] * v[SIGMA_0]))
    k[K_HALF_I + lane], k[K_HALF_P + lane], k[K_GAIN + lane] = v[IC50_I], v[IC50_P], 1 + v[GAIN]
    k[K_REST_BLOCK + lane] = v[K_E2]
    k[K_FORM + lane], k[K_FORM_W + lane] = v[KF] / 24, v[KF] * v[ETA] / 24
    k[K_LOSS + lane], k[K_LOSS_SIGMA + lane] = v[KE] / 24, v[KE] * v[GAM] / 24
    k[K_FIX + lane], k[K_RHO + lane], k[K_S + lane] = (1 - v[RHO]) * v[S_FIX], v[RHO], resting
    k[K_REST + lane] = v[THETA_0] - v[W_I] * v[I_0] * (1 - v[X_0])
    k[K_MEMORY + lane], k[K_SYNAPSE + lane], k[K_SIGNAL + lane] = v[W_I] * v[I_0], v[W_S] * v[RHO], v[W_G]
    k[K_SSRI + lane], k[K_NATURAL + lane] = v[W_E] * v[ADH] * v[EMAX_U], v[B_INF]
    k[K_STRESS + lane] = (1 - v[G_SIG]) * v[SIGMA_0]
    k[K_STRESS_THETA + lane] = v[G_SIG] * v[SIGMA_0] / v[THETA_0]
    k[K_FORGET + lane], k[K_FORGET_SIGMA + lane] = v[R_X] / 24, v[R_S] / 24
    k[K_SESSION + lane], k[K_EXPONENT_Q + lane], k[K_EXPONENT_M + lane] = v[LX], v[Q], v[M_EXP]
    k[K_HALF_LEARNING + lane] = v[S50]
    k[K_X + lane], k[K_SIGMA + lane], k[K_THETA + lane] = v[X_0], v[SIGMA_0], v[THETA_0]


@compiled
def decays(k, lengths, e):
    """exp(-rate length) for each length, mode and lane; (D, 7 LANES).

    A Taylor polynomial at 1/1024 of the exponent, then ten squarings: vectors all the way, right to 1e-13.
    """
    for d in range(lengths.shape[0]):
        for place in range(MODES * LANES):
            z = -min(k[K_RATE + place] * lengths[d], 700.0) / 1024.0
            p = 1.0 / 3628800.0
            p = p * z + 1.0 / 362880.0
            p = p * z + 1.0 / 40320.0
            p = p * z + 1.0 / 5040.0
            p = p * z + 1.0 / 720.0
            p = p * z + 1.0 / 120.0
            p = p * z + 1.0 / 24.0
            p = p * z + 1.0 / 6.0
            p = p * z + 0.5
            p = p * z + 1.0
            p = p * z + 1.0
            p = p * p
            p = p * p
            p = p * p
            p = p * p
            p = p * p
            p = p * p
            p = p * p
            p = p * p
            p = p * p
            p = p * p
            e[d, place] = p


@compiled
def first_sitting(k, e, which, rate, looks, peaks, y):
    """Peaks of the first sitting, where the oracle looks for them; rows 3 and 4 of ``peaks``, umol/L.

    Rows 0 to 2 of ``peaks`` are how the effect site sees each mode of ketamine; ``y`` is room for four rows.
    """
    y[:] = 0.0
    peaks[3 * LANES :] = 0.0
    before = 0.0
    for i in range(which.shape[0]):
        d, now, seen = which[i], rate[i], looks[i]
        change = before - now
        before = now
        for j in range(LANES):
            s1, s2, s3 = k[K_STEADY + j], k[K_STEADY + LANES + j], k[K_STEADY + 2 * LANES + j]
            s4 = k[K_STEADY + 5 * LANES + j]
            y1, y2 = (y[j] + change * s1) * e[d, j], (y[LANES + j] + change * s2) * e[d, LANES + j]
            y3 = (y[2 * LANES + j] + change * s3) * e[d, 2 * LANES + j]
            y4 = (y[3 * LANES + j] + change * s4) * e[d, 5 * LANES + j]
            y[j], y[LANES + j], y[2 * LANES + j], y[3 * LANES + j] = y1, y2, y3, y4
            t1, t2, t3, t4 = y1 + now * s1, y2 + now * s2, y3 + now * s3, y4 + now * s4
            site = peaks[j] * t1 + peaks[LANES + j] * t2 + peaks[2 * LANES + j] * t3 + t4
            peaks[3 * LANES + j] = max(peaks[3 * LANES + j], seen * (t1 + t2 + t3))
            peaks[4 * LANES + j] = max(peaks[4 * LANES + j], seen * site)


@compiled
def believe(v, peaks, lane):
    """P_belief of one person, from the peaks of the first sitting."""
    site = peaks[4 * LANES + lane] / (v[FU] * v[KPUU]) * v[MW_K]
    ratio = (site / v[C50_D]) ** v[HILL] if site > 0 else 0.0
    level = peaks[3 * LANES + lane] * v[MW_K]
    logit = v[B0] + v[ARM] + v[B1] * v[DMAX] * ratio / (1 + ratio) + v[B2] * v[EMAX_S] * level / (v[C50_BP] + level)
    chance = 1 / (1 + math.exp(-logit))
    if v[RANK] == BY_PROBABILITY:
        return chance
    return 1.0 if v[RANK] < chance else 0.0


@compiled
def _start(k, s):
    for place in range(MOVING):
        s[place] = 0.0
    for j in range(LANES):
        s[S + j] = s[PEAK_S + j] = k[K_S + j]
        s[X + j], s[SIGMA + j] = k[K_X + j], k[K_SIGMA + j]
        s[THETA + j] = s[LOWEST + j] = k[K_THETA + j]


@compiled
def _switch(k, s, change):
    """The rate changes: each mode's distance from its steady state jumps."""
    for place in range(MODES * LANES):
        s[Y + place] += change * k[K_STEADY + place]


@compiled
def _open(k, factors):
    """A sitting begins: what reaches the blood of each lane changes by its factor."""
    for j in range(LANES):
        factor = factors[j]
        for mode in range(MODES):
            k[K_STEADY + mode * LANES + j] *= factor
        k[K_DRIVE_STEADY + j] *= factor
        k[K_KETAMINE_STEADY + j] *= factor
        k[K_NOR_STEADY + j] *= factor


@compiled
def _silent(s, e, d):
    """Drug in a step so late that the receptor is free."""
    for place in range(MODES * LANES):
        decay = e[d, place]
        s[Y + place] *= decay * decay
    for j in range(LANES):
        s[U0 + j] = s[U1 + j]
        s[UM + j] = s[U1 + j] = 0.0
        s[B_OLD + j] = s[B1_ + j]
        s[BM + j] = s[B1_ + j] = s[D1 + j] = 0.0


@compiled
def _drug(k, s, e, d, rate, square, exponent):
    """Drug at the middle and end of a step, and the glutamate that its block would settle at."""
    for j in range(LANES):
        h1, h2, h3 = e[d, j], e[d, LANES + j], e[d, 2 * LANES + j]
        h4, h5, h6 = e[d, 3 * LANES + j], e[d, 4 * LANES + j], e[d, 5 * LANES + j]
        w1, w2, w3 = k[K_DRIVE + j], k[K_DRIVE + LANES + j], k[K_DRIVE + 2 * LANES + j]
        w4, w5, w7 = k[K_DRIVE + 3 * LANES + j], k[K_DRIVE + 4 * LANES + j], k[K_DRIVE + 6 * LANES + j]
        w6 = k[K_DRIVE + 5 * LANES + j]
        steady = rate * k[K_DRIVE_STEADY + j]
        y1, y2, y3 = s[Y + j] * h1, s[Y + LANES + j] * h2, s[Y + 2 * LANES + j] * h3
        y4, y5 = s[Y + 3 * LANES + j] * h4, s[Y + 4 * LANES + j] * h5
        y6, y7 = s[Y + 5 * LANES + j] * h6, s[Y + 6 * LANES + j] * h6
        x_mid = max(w1 * y1 + w2 * y2 + w3 * y3 + w4 * y4 + w5 * y5 + w6 * y6 + w7 * y7 + steady, 0.0)
        y1, y2, y3, y4, y5, y6, y7 = y1 * h1, y2 * h2, y3 * h3, y4 * h4, y5 * h5, y6 * h6, y7 * h6
        x_end = max(w1 * y1 + w2 * y2 + w3 * y3 + w4 * y4 + w5 * y5 + w6 * y6 + w7 * y7 + steady, 0.0)
        s[Y + j], s[Y + LANES + j], s[Y + 2 * LANES + j] = y1, y2, y3
        s[Y + 3 * LANES + j], s[Y + 4 * LANES + j], s[Y + 5 * LANES + j], s[Y + 6 * LANES + j] = y4, y5, y6, y7
        x_old = s[D1 + j]
        s[D1 + j] = x_end
        # the highest point of the parabola through the three levels
        bend, tilt = x_end - 2 * x_mid + x_old, x_end - x_old
        top = min(max(-tilt / (4 * min(bend, -1e-300)), -0.5), 0.5)
        peak = x_mid + tilt * top + 2 * bend * top * top
        s[PEAK_DRIVE + j] = max(max(s[PEAK_DRIVE + j], x_end), max(x_old, peak if bend < 0 else x_end))
        level = k[K_KETAMINE + j] * (y1 + y2 + y3) + rate * k[K_KETAMINE_STEADY + j]
        s[PEAK_KETAMINE + j] = max(s[PEAK_KETAMINE + j], level)
        half_i, half_p, gain = k[K_HALF_I + j], k[K_HALF_P + j], k[K_GAIN + j]
        s[U0 + j] = s[U1 + j]
        s[B_OLD + j] = s[B1_ + j]
        free_mid, free_end = half_p / (half_p + x_mid), half_p / (half_p + x_end)
        s[BM + j], s[B1_ + j] = 1 - free_mid, 1 - free_end
        s[UM + j] = (half_i + gain * x_mid) / (half_i + x_mid) * free_mid * free_mid - 1
        s[U1 + j] = (half_i + gain * x_end) / (half_i + x_end) * free_end * free_end - 1
    if not square:
        for j in range(LANES):
            half_i, gain = k[K_HALF_I + j], k[K_GAIN + j]
            x_end, free_end, free_mid = s[D1 + j], 1 - s[B1_ + j], 1 - s[BM + j]
            s[U1 + j] = (half_i + gain * x_end) / (half_i + x_end) * free_end**exponent - 1
            s[UM + j] = (s[UM + j] + 1) * free_mid ** (exponent - 2) - 1


@compiled
def _signal(s, c):
    """Glutamate to spine signal: exact for a source that is a parabola."""
    for j in range(LANES):
        g, n, m, w, z = s[G + j], s[N + j], s[M + j], s[W + j], s[Z + j]
        u0, um, u1 = s[U0 + j], s[UM + j], s[U1 + j]
        s[W_OLD + j], s[Z_OLD + j] = w, z
        s[W_MID + j] = c[40] * g + c[41] * n + c[42] * m + c[43] * w + c[45] * u0 + c[46] * um + c[47] * u1
        s[Z_MID + j] = c[48] * g + c[49] * n + c[52] * z + c[53] * u0 + c[54] * um + c[55] * u1
        g1 = c[0] * g + c[5] * u0 + c[6] * um + c[7] * u1
        s[G + j] = g1
        s[N + j] = c[8] * g + c[9] * n + c[13] * u0 + c[14] * um + c[15] * u1
        s[M + j] = c[16] * g + c[17] * n + c[18] * m + c[21] * u0 + c[22] * um + c[23] * u1
        s[W + j] = c[24] * g + c[25] * n + c[26] * m + c[27] * w + c[29] * u0 + c[30] * um + c[31] * u1
        s[Z + j] = c[32] * g + c[33] * n + c[36] * z + c[37] * u0 + c[38] * um + c[39] * u1
        s[LOWEST_G + j] = min(s[LOWEST_G + j], g1)


@compiled
def _moment(p0, p1, p2, power, begin, end):
    """Integral of t^power (p0 + p1 t + p2 t^2)."""
    total = p0 * (end ** (power + 1) - begin ** (power + 1)) / (power + 1)
    total += p1 * (end ** (power + 2) - begin ** (power + 2)) / (power + 2)
    return total + p2 * (end ** (power + 3) - begin ** (power + 3)) / (power + 3)


@compiled
def _positive_part(g0, gm, g1):
    """What is above zero of the parabola through three values, as the parabola of the same first three moments."""
    if g0 >= 0 and gm >= 0 and g1 >= 0:
        return g0, gm, g1
    if g0 <= 0 and gm <= 0 and g1 <= 0:
        return 0.0, 0.0, 0.0
    p1, p2 = -3 * g0 + 4 * gm - g1, 2 * g0 - 4 * gm + 2 * g1
    m0 = m1 = m2 = 0.0
    root = math.sqrt(max(p1 * p1 - 4 * p2 * g0, 0.0))
    half = -(p1 + math.copysign(root, p1)) / 2
    first, second = (half / p2 if p2 != 0 else 2.0), (g0 / half if half != 0 else 2.0)
    low, high = min(max(min(first, second), 0.0), 1.0), min(max(max(first, second), 0.0), 1.0)
    for part in range(3):
        begin = 0.0 if part == 0 else low if part == 1 else high
        end = low if part == 0 else high if part == 1 else 1.0
        centre = (begin + end) / 2
        if end > begin and g0 + centre * (p1 + centre * p2) > 0:
            m0 += _moment(g0, p1, p2, 0, begin, end)
            m1 += _moment(g0, p1, p2, 1, begin, end)
            m2 += _moment(g0, p1, p2, 2, begin, end)
    return 9 * m0 - 36 * m1 + 30 * m2, -1.5 * m0 + 15 * m1 - 15 * m2, 3 * m0 - 24 * m1 + 30 * m2


@compiled
def _clipped_signal(k, s, c):
    """The same where glutamate falls below rest, which what follows does not see, or where the rest-block arm is on."""
    for j in range(LANES):
        g, n, m, w, z = s[G + j], s[N + j], s[M + j], s[W + j], s[Z + j]
        u0, um, u1 = s[U0 + j], s[UM + j], s[U1 + j]
        arm = k[K_REST_BLOCK + j]
        g1 = c[56] * g + c[57] * u0 + c[58] * um + c[59] * u1
        g_mid = c[60] * g + c[61] * u0 + c[62] * um + c[63] * u1
        v0, vm, v1 = _positive_part(g, g_mid, g1)
        v0, vm, v1 = v0 + arm * s[B_OLD + j], vm + arm * s[BM + j], v1 + arm * s[B1_ + j]
        s[W_OLD + j], s[Z_OLD + j] = w, z
        s[W_MID + j] = c[92] * n + c[93] * m + c[94] * w + c[96] * v0 + c[97] * vm + c[98] * v1
        s[Z_MID + j] = c[99] * n + c[102] * z + c[103] * v0 + c[104] * vm + c[105] * v1
        s[G + j] = g1
        s[N + j] = c[64] * n + c[68] * v0 + c[69] * vm + c[70] * v1
        s[M + j] = c[71] * n + c[72] * m + c[75] * v0 + c[76] * vm + c[77] * v1
        s[W + j] = c[78] * n + c[79] * m + c[80] * w + c[82] * v0 + c[83] * vm + c[84] * v1
        s[Z + j] = c[85] * n + c[88] * z + c[89] * v0 + c[90] * vm + c[91] * v1
        s[LOWEST_G + j] = min(s[LOWEST_G + j], g1)


@compiled
def _slow(k, s, c, before, at):
    """Synapses, extinction, stress and severity over one step."""
    h = c[LENGTH]
    te, t0, tm, t1, he, h0, hm, h1 = c[106], c[107], c[108], c[109], c[110], c[111], c[112], c[113]
    se, s0, sm, s1, ge, g0, gm, g1 = c[114], c[115], c[116], c[117], c[118], c[119], c[120], c[121]
    nat0, bel0, ssri0, mem0 = before[1, 0], before[1, 1], before[1, 2], before[1, 3]
    natm, belm, ssrim, memm = at[0, 0], at[0, 1], at[0, 2], at[0, 3]
    nat1, bel1, ssri1, mem1 = at[1, 0], at[1, 1], at[1, 2], at[1, 3]
    for j in range(LANES):
        synapse, x, sigma, w_signal = s[S + j], s[X + j], s[SIGMA + j], k[K_SIGNAL + j]
        z0, zm, z1 = w_signal * s[Z_OLD + j], w_signal * s[Z_MID + j], w_signal * s[Z + j]
        theta = s[THETA + j] + z0  # what is left of severity beside the direct answer to N
        w_n, w_e, w_p = k[K_NATURAL + j], k[K_SSRI + j], k[K_BELIEF + j]
        pull, density = k[K_MEMORY + j], k[K_SYNAPSE + j]
        rest = k[K_REST + j] + density * k[K_S + j]
        c0 = rest + pull * mem0 * (1 - x) - density * synapse - w_e * ssri0 - w_p * bel0 - w_n * nat0
        # stress as if synapses went on as they do now
        form, form_w, loss, loss_sigma = k[K_FORM + j], k[K_FORM_W + j], k[K_LOSS + j], k[K_LOSS_SIGMA + j]
        a0, am, a1 = form + form_w * s[W_OLD + j], form + form_w * s[W_MID + j], form + form_w * s[W + j]
        k1 = a0 - (a0 + loss + loss_sigma * sigma) * synapse
        seen = rest + pull * memm * (1 - x) - w_e * ssrim - w_p * belm - w_n * natm
        seen_1 = rest + pull * mem1 * (1 - x) - w_e * ssri1 - w_p * bel1 - w_n * nat1
        cm, c1 = seen - density * (synapse + 0.5 * h * k1), seen_1 - density * (synapse + h * k1)
        fa, fb = k[K_STRESS + j], k[K_STRESS_THETA + j]
        f0 = max(fa + fb * (theta - z0), 0.0)
        fm = max(fa + fb * (he * theta + h0 * c0 + hm * cm + h1 * c1 - zm), 0.0)
        f1 = max(fa + fb * (te * theta + t0 * c0 + tm * cm + t1 * c1 - z1), 0.0)
        sigma_m = ge * sigma + g0 * f0 + gm * fm + g1 * f1
        sigma_1 = se * sigma + s0 * f0 + sm * fm + s1 * f1
        # synapses by the classical Runge-Kutta step
        bm, b1 = am + loss + loss_sigma * sigma_m, a1 + loss + loss_sigma * sigma_1
        k2 = am - bm * (synapse + 0.5 * h * k1)
        k3 = am - bm * (synapse + 0.5 * h * k2)
        k4 = a1 - b1 * (synapse + h * k3)
        synapse_1 = synapse + h / 6 * (k1 + 2 * (k2 + k3) + k4)
        synapse_m = 0.5 * (synapse + synapse_1) + h / 8 * (k1 - (a1 - b1 * synapse_1))
        # extinction: exp(-loss) of a small loss
        forget, forget_sigma = k[K_FORGET + j] * h, k[K_FORGET_SIGMA + j] * h
        lost_m = 0.5 * forget + forget_sigma / 24 * (5 * sigma + 8 * sigma_m - sigma_1)
        lost_1 = forget + forget_sigma / 6 * (sigma + 4 * sigma_m + sigma_1)
        x_m = x * (1 - lost_m * (1 - lost_m / 2 * (1 - lost_m / 3 * (1 - lost_m / 4))))
        x_1 = x * (1 - lost_1 * (1 - lost_1 / 2 * (1 - lost_1 / 3 * (1 - lost_1 / 4))))
        # severity, then stress again with it
        cm = seen + pull * memm * (x - x_m) - density * synapse_m
        c1 = seen_1 + pull * mem1 * (x - x_1) - density * synapse_1
        theta_m = he * theta + h0 * c0 + hm * cm + h1 * c1 - zm
        theta_1 = te * theta + t0 * c0 + tm * cm + t1 * c1 - z1
        fm, f1 = max(fa + fb * theta_m, 0.0), max(fa + fb * theta_1, 0.0)
        s[SIGMA + j] = se * sigma + s0 * f0 + sm * fm + s1 * f1
        s[S + j], s[X + j] = synapse_1, x_1
        s[PEAK_S + j] = max(s[PEAK_S + j], synapse_1)
        s[LOWEST + j] = min(s[LOWEST + j], min(theta_m, theta_1))
        s[AREA + j] += h / 6 * (s[THETA + j] + 4 * theta_m + theta_1)
        s[THETA + j] = theta_1


@compiled
def _session(k, s, dose):
    """What a therapy session teaches."""
    for j in range(LANES):
        level = k[K_FIX + j] + k[K_RHO + j] * s[S + j]
        ratio = (level / k[K_HALF_LEARNING + j]) ** k[K_EXPONENT_M + j]
        gate = (k[K_HALF_P + j] / (k[K_HALF_P + j] + s[D1 + j])) ** k[K_EXPONENT_Q + j] * ratio / (1 + ratio)
        s[X + j] += k[K_SESSION + j] * dose * (1 - s[X + j]) * gate


@compiled
def _write(k, s, o, t, rate):
    """The states of this moment."""
    for j in range(LANES):
        y1, y2, y3 = s[Y + j], s[Y + LANES + j], s[Y + 2 * LANES + j]
        o[0, t, j] = k[K_KETAMINE + j] * (y1 + y2 + y3) + rate * k[K_KETAMINE_STEADY + j]
        o[1, t, j] = (
            k[K_NOR1 + j] * y1 + k[K_NOR2 + j] * y2 + k[K_NOR3 + j] * y3
            + k[K_NORKETAMINE + j] * (s[Y + 3 * LANES + j] + s[Y + 4 * LANES + j]) + rate * k[K_NOR_STEADY + j]
        )  # fmt: skip
        o[2, t, j] = s[D1 + j] / (s[D1 + j] + k[K_HALF_I + j])
        o[3, t, j] = s[D1 + j] / (s[D1 + j] + k[K_HALF_P + j])
        o[4, t, j], o[5, t, j], o[6, t, j] = s[G + j], s[N + j], s[M + j]
        o[7, t, j], o[8, t, j] = s[W + j], s[S + j]
        o[9, t, j] = k[K_FIX + j] + k[K_RHO + j] * s[S + j]
        o[10, t, j], o[11, t, j] = s[SIGMA + j], s[X + j]
        o[SEVERITY_ROW, t, j] = s[THETA + j]


@compiled
def _totals(k, s, o, hours):
    """The summaries."""
    for j in range(LANES):
        o[j] = s[PEAK_KETAMINE + j]
        o[LANES + j] = s[PEAK_DRIVE + j] / (s[PEAK_DRIVE + j] + k[K_HALF_I + j])
        o[2 * LANES + j] = k[K_FIX + j] + k[K_RHO + j] * s[PEAK_S + j]
        o[3 * LANES + j] = s[LOWEST + j]
        o[4 * LANES + j] = s[AREA + j] / hours if hours > 0 else s[THETA + j]
        o[5 * LANES + j] = s[LOWEST_G + j]


@compiled
def run_blocks(
    people, occasions, opens, weights, nodes, lengths, length, before, rate, asked, session, silent,
    sitting_lengths, sitting_which, sitting_rate, sitting_looks, first_session, starts_asked, clips, exponent,
    numbers, chosen, found, totals,
):  # fmt: skip
    """Every block of 32 people: row r goes to place ``numbers[r]`` of ``found`` (V, n, T) and ``totals`` (6, n).

    Step i begins sitting ``opens[i]`` if that is not -1; ``occasions`` (n, sittings) says by how much the dose of each
    differs from the one before.
    """
    k, s, peaks, room = np.empty(CONSTANTS), np.empty(MOVING), np.empty(5 * LANES), np.empty(4 * LANES)
    e, factors = np.empty((max(lengths.shape[0], sitting_lengths.shape[0]), MODES * LANES)), np.empty(LANES)
    halves = 0.5 * lengths
    seen, summed = np.empty((STATES, found.shape[2], LANES)), np.empty(SUMMARIES * LANES)
    hours = 0.0
    for i in range(length.shape[0]):
        hours += lengths[length[i]]
    last = people.shape[0] - 1
    for b in range((last + LANES) // LANES):
        for j in range(LANES):
            person(people[min(b * LANES + j, last)], k, j, peaks)
        decays(k, sitting_lengths, e)
        first_sitting(k, e, sitting_which, sitting_rate, sitting_looks, peaks, room)
        for j in range(LANES):
            v = people[min(b * LANES + j, last)]
            k[K_BELIEF + j] = v[W_P] * believe(v, peaks, j)
        decays(k, halves, e)
        _start(k, s)
        if first_session > 0:
            _session(k, s, first_session)
        if starts_asked:
            _write(k, s, seen, 0, 0.0)
        for i in range(length.shape[0]):
            d = length[i]
            if opens[i] >= 0:
                for j in range(LANES):
                    factors[j] = occasions[min(b * LANES + j, last), opens[i]]
                _open(k, factors)
            if rate[i] != before[i]:
                _switch(k, s, before[i] - rate[i])
            if silent[i] == 1:
                _silent(s, e, d)
            else:
                _drug(k, s, e, d, rate[i], exponent == 2.0, exponent)
            if clips:
                _clipped_signal(k, s, weights[d])
            else:
                _signal(s, weights[d])
            _slow(k, s, weights[d], nodes[i], nodes[i + 1])
            if session[i] > 0:
                _session(k, s, session[i])
            if asked[i] >= 0:
                _write(k, s, seen, asked[i], rate[i])
        _totals(k, s, summed, hours)
        count = min(LANES, last + 1 - b * LANES)
        for v in range(chosen.shape[0]):
            state = min(chosen[v], SEVERITY_ROW)
            for j in range(count):
                number = numbers[b * LANES + j]
                for t in range(seen.shape[1]):
                    found[v, number, t] = seen[state, t, j]
                if chosen[v] == SEVERITY_ROW:
                    for t in range(seen.shape[1]):
                        found[v, number, t] = min(max(found[v, number, t], 0.0), CAPS5_HIGHEST)
        for v in range(SUMMARIES):
            for j in range(count):
                totals[v, numbers[b * LANES + j]] = summed[v * LANES + j]
