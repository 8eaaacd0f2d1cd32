"""The whole model of one person on one course as SBML Level 3, for other software to run.

The equations are those of ``model.py``, written in Antimony's notation and turned into SBML by it. Parameters keep the
symbols of ``parameters.csv``, with value, unit, long name and source; what is worked out from them (volumes of this
body, the state at rest) is worked out in the document, so that a value changed there has its effect. Infusions, therapy
sessions and changes of an SSRI are events. Time is in hours. Belief is a number, the model's own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from html import escape
from types import ModuleType

from reprieve import __version__
from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.compartments import REFERENCE_WEIGHT_KG, SITES, WOMEN_CLEARANCE, SiteError
from reprieve.pharmacology.memory import TherapySession
from reprieve.pharmacology.model import Course, Model
from reprieve.pharmacology.parameters import Parameter, ParameterSet, table
from reprieve.pharmacology.receptor import SECONDS_PER_HOUR
from reprieve.pharmacology.regimen import HOURS_PER_DAY, Infusion
from reprieve.pharmacology.simulate import RESEARCH_ONLY, VARIABLES
from reprieve.pharmacology.symptoms import CLUSTERS, LOADINGS, Ssri

NAME = "reprieve_course"
XHTML = "http://www.w3.org/1999/xhtml"
WITHOUT_INFUSIONS = "caps5_total_without_infusions"  # another course, so another document

UNITS = """
  unit time_unit = 3600 second; unit hour = 3600 second; unit per_hour = 1 / (3600 second); unit kg = 1e3 gram
  unit day = 86400 second; unit per_day = 1 / (86400 second); unit per_second = 1 / second
  unit per_minute = 1 / (60 second); unit hours_per_day = 3600 / 86400 dimensionless
  unit seconds_per_hour = 1 / 3600 dimensionless; unit umol = 1e-6 mole; unit umol_per_mmol = 1e-3 dimensionless
  unit umol_per_litre = 1e-6 mole / litre; unit umol_per_hour = 1e-6 mole / (3600 second); unit mg = 1e-3 gram
  unit mg_per_hour = 1e-3 gram / (3600 second)
  unit litre_per_hour = litre / (3600 second); unit g_per_mol = gram / mole; unit ng_per_ml = 1e-6 gram / litre
  unit mg_per_day = 1e-3 gram / (86400 second); unit mmHg = 133.322387415 pascal
"""
# The first word in the unit column of parameters.csv, and its name among UNITS; anything else is a number without unit
UNIT_OF = {
    "g/mol": "g_per_mol", "L": "litre", "L/h": "litre_per_hour", "1/h": "per_hour", "1/s": "per_second",
    "1/d": "per_day", "1/min": "per_minute", "umol/L": "umol_per_litre", "ng/mL": "ng_per_ml", "mg/day": "mg_per_day",
    "mmHg": "mmHg", "h": "hour", "d": "day",
}  # fmt: skip

BODY = """
  size = weight_kg / reference_weight_kg
  V1_own = V1 * size^exp_V; V2_own = V2 * size^exp_V; V3_own = V3 * size^exp_V
  VN_own = VN * size^exp_V; VPN_own = VPN * size^exp_V; VH_own = VH * size^exp_V
  CL_own = CL * size^exp_CL * CL_covariate; Q2_own = Q2 * size^exp_CL; Q3_own = Q3 * size^exp_CL
  CLN_own = CLN * size^exp_CL; QN_own = QN * size^exp_CL; CLH_own = CLH * size^exp_CL
  V1_own has litre; V2_own has litre; V3_own has litre; VN_own has litre; VPN_own has litre; VH_own has litre
  CL_own has litre_per_hour; Q2_own has litre_per_hour; Q3_own has litre_per_hour
  CLN_own has litre_per_hour; QN_own has litre_per_hour; CLH_own has litre_per_hour
"""
DRUG = """
  R := (RATE) * umol_in_a_mmol / MW_K; R has umol_per_hour
  A1' = R - (CL_own + Q2_own + Q3_own) * A1 / V1_own + Q2_own * A2 / V2_own + Q3_own * A3 / V3_own
  A2' = Q2_own * (A1 / V1_own - A2 / V2_own)
  A3' = Q3_own * (A1 / V1_own - A3 / V3_own)
  AN1' = fN * CL_own * A1 / V1_own - (CLN_own + QN_own) * AN1 / VN_own + QN_own * AN2 / VPN_own
  AN2' = QN_own * (AN1 / VN_own - AN2 / VPN_own)
  AH' = fH * CLN_own * AN1 / VN_own - CLH_own * AH / VH_own
  Cv' = kv * (A1 / V1_own - Cv)
  Ce' = ke0 * (fu * Kpuu * A1 / V1_own - Ce)
  CeN' = ke0 * (fu * Kpuu * AN1 / VN_own - CeN)
  A1 = 0; A2 = 0; A3 = 0; AN1 = 0; AN2 = 0; AH = 0; Cv = 0; Ce = 0; CeN = 0
  A1 has umol; A2 has umol; A3 has umol; AN1 has umol; AN2 has umol; AH has umol
  Cv has umol_per_litre; Ce has umol_per_litre; CeN has umol_per_litre
"""
DRIVE = "  drive := pot * Ce; drive has umol_per_litre\n"
DRIVE_OF_BOTH = "  drive := pot * (Ce + CeN / r_NK); drive has umol_per_litre\n"
EQUILIBRIUM = """
  BI := drive / (drive + IC50_I)
  BP := drive / (drive + IC50_P)
"""
KINETIC = """
  BI' = seconds_in_an_hour * Po * koff * (drive / IC50_I * (1 - BI) - BI)
  BP' = seconds_in_an_hour * Po * koff * (drive / IC50_P * (1 - BP) - BP)
  BI = 0; BP = 0
"""
CHAIN = """
  G' = (a * BI * (1 - BP)^p + less_than_one(BP, p) - G) / tau_G
  N' = (max(G, 0) + k_e2 * BP - N) / tau_N
  M' = (N - M) / tau_M
  W' = (MADE - W) / tau_W
  s' = (kf * (1 + eta * W) * (1 - s) - ke * (1 + gam * sigma) * s) / hours_in_a_day
  S := (1 - rho) * S_fix + rho * s
  I' = -r_I * I / hours_in_a_day
  X' = -(r_X + r_s * sigma) * X / hours_in_a_day
  theta_ss := th0 + w_I * I * (1 - X) - synaptic_fall - w_G_own * N - w_E * E - w_P * P - natural_fall
  synaptic_fall := w_S_own * (S - S_0)
  natural_fall := b_inf * (1 - exp(-time / (tau_b * hours_in_a_day)))
  theta' = (theta_ss - theta) / (tau_th * hours_in_a_day)
  ssri_dose := SSRI; ssri_dose has mg_per_day
  E' = (adh * Emax_u * ssri_dose / (D50 + ssri_dose) - E) / (tau_E * hours_in_a_day)
  P' = (P_belief - P) / (tau_P * hours_in_a_day)
  learnable := lx * (1 - X) * (1 - BP)^q * synapse_ratio / (1 + synapse_ratio)
  synapse_ratio := (S / S50)^m
  w_S_own = w_S * responsiveness; w_G_own = w_G * responsiveness
  th0 = theta_0 - w_I * I_0 * (1 - X_0)
  s_0 = kf / (kf + ke * (1 + gam * sigma_0))
  S_0 = (1 - rho) * S_fix + rho * s_0
  G = 0; N = 0; M = 0; W = 0; s = s_0; sigma = sigma_0; I = I_0; theta = theta_0; E = 0; P = 0
"""
STRESS_MOVES = """
  sigma' = (max(stress_seen, 0) * sigma_0 - sigma) / (tau_sig * hours_in_a_day)
  stress_seen := 1 + g_sig * (theta / theta_0 - 1); stress_seen has dimensionless
"""
STRESS_STAYS = "  sigma' = 0 / (tau_sig * hours_in_a_day)\n"
# The readings, by the names of simulate.VARIABLES, and what they are made of. Here and above max and min, not
# piecewise: libroadrunner looks for where a condition turns, and halts at one that rests on its edge.
READINGS = """
  arterial_ng_per_ml := A1 / V1_own * MW_K; arterial_ng_per_ml has ng_per_ml
  pressure_share := arterial_ng_per_ml / (C50_bp + arterial_ng_per_ml)
  cadss_level := Ce / (fu * Kpuu) * MW_K; cadss_level has ng_per_ml
  cadss_ratio := (max(cadss_level, 0) / C50_D)^h
  sedation_ratio := (max(cadss_level, 0) / C50_sed)^h_sed
  norketamine_plasma_ng_per_ml := AN1 / VN_own * MW_N
  hydroxynorketamine_plasma_ng_per_ml := AH / VH_own * MW_H
  effect_site_ketamine_umol_per_l := Ce
  receptor_block_interneuron_fraction := BI
  receptor_block_pyramidal_fraction := BP
  glutamate_rise_fraction := G
  bdnf_signal_fraction := N
  translation_signal_fraction := M
  spine_signal_fraction := W
  labile_synapse_fraction := s
  synaptic_density_fraction := S
  stress_load_fraction := sigma
  extinction_fraction := X
  caps5_total := min(max(theta, 0), 80)
  systolic_change_mmhg := Emax_s * pressure_share
  diastolic_change_mmhg := Emax_d * pressure_share
  pulse_change_per_min := Emax_h * pressure_share
  cadss_total := cad_base + Dmax * cadss_ratio / (1 + cadss_ratio) * exp(-k_tol * prior_sittings)
  sedation_chance_fraction := sedation_ratio / (1 + sedation_ratio)
"""
PLASMA = {
    "arterial": "  ketamine_plasma_ng_per_ml := arterial_ng_per_ml\n",
    "venous": "  ketamine_plasma_ng_per_ml := Cv * MW_K\n",
}
# less_than_one is (1 - b)^n - 1 with no digits lost where b is near 0: libroadrunner scales an absolute tolerance by
# each state as it stands, so that after a long rest it would halt at the last digit of a plain difference.
FUNCTIONS = """
function less_than_one(b, n)
  -2 * tanh(n * arctanh(b / (2 - b))) / (1 + tanh(n * arctanh(b / (2 - b))))
end
function reached(slope, z, threshold)
  1 / (1 + exp(-slope * (z - threshold)))
end
function answer(slope, z, k1, k2, k3, k4)
  reached(slope, z, k1) + reached(slope, z, k2) + reached(slope, z, k3) + reached(slope, z, k4)
end
"""
WITHOUT_UNIT = (
    "size CL_covariate responsiveness P_belief pcl5_offset prior_sittings pressure_share cadss_ratio sedation_ratio "
    "th0 s_0 S_0 w_S_own w_G_own BI BP G N M W s S sigma I X theta theta_ss synaptic_fall natural_fall E P learnable "
    "synapse_ratio synapse_gate_0 z_intrusion z_avoidance z_negative_mood z_arousal"
).split()


class SbmlError(PharmacologyError):
    """The model cannot be written as SBML: says why, and the way out."""


def sbml(model: Model, *, site: str = "arterial", pcl5_offset: float = 0.0) -> str:
    """The model of one person on one course as an SBML Level 3 document.

    Parameters
    ----------
    site : where plasma is drawn, arterial or venous, as for :func:`~reprieve.pharmacology.simulate.simulate`
    pcl5_offset : how far this person's PCL-5 lies from what their CAPS-5 says, as drawn

    Returns
    -------
    states by the symbols of ``model.py``; readings by the names of ``simulate.VARIABLES``, without
    ``caps5_total_without_infusions``, which is another course: write that one too. Run it with an absolute tolerance a
    state: one for all is scaled by some software to states that have died away

    Raises
    ------
    SbmlError : if antimony is not installed
    SiteError : for a site that there is none of
    """
    antimony = _antimony()
    if antimony.loadAntimonyString(in_antimony(model, site=site, pcl5_offset=pcl5_offset)) < 0:
        raise RuntimeError(antimony.getLastError())
    document: str = antimony.getSBMLString(NAME)
    antimony.clearPreviousLoads()
    return _with_sources(_with_notes(document, model, site))


def in_antimony(model: Model, *, site: str = "arterial", pcl5_offset: float = 0.0) -> str:
    """The same in Antimony's notation, which is easier to read."""
    if site not in SITES:
        raise SiteError(f"site {site!r}; it must be {' or '.join(SITES)}")
    switches = model.switches
    parts = [
        BODY,
        DRUG.replace("RATE", _rate(model.course.regimen.infusions)),
        DRIVE_OF_BOTH if switches.norketamine else DRIVE,
        KINETIC if switches.kinetic_block else EQUILIBRIUM,
        CHAIN.replace("MADE", "M" if switches.with_translation else "N").replace("SSRI", _dose(model.course.ssri)),
        STRESS_MOVES if switches.stress_moves else STRESS_STAYS,
        READINGS + PLASMA[site] + _pcl5(model.p),
        *_course(model.course),
        *_added(model, pcl5_offset),
    ]
    used = set(re.findall(r"[A-Za-z]\w*", "".join(parts)))
    values = [_value(row, model.p[symbol]) for symbol, row in table().items() if symbol in used]
    return "".join([FUNCTIONS, f"model {NAME}\n", UNITS, *parts, *values, "end\n"])


def _antimony() -> ModuleType:
    try:
        import antimony
    except ImportError:
        raise SbmlError("SBML needs antimony: install the extra 'interchange' (in a clone: make research)") from None
    found: ModuleType = antimony
    return found


def _unit(words: str) -> str:
    return UNIT_OF.get(words.split(" ")[0], "dimensionless")


def _value(row: Parameter, value: float) -> str:
    return f'  {row.symbol} = {float(value)!r}; {row.symbol} has {_unit(row.unit)}; {row.symbol} is "{row.name}"\n'


def _pcl5(p: ParameterSet) -> str:
    """The expected answers to the twenty items, which share the severity of their cluster."""
    lines = []
    for cluster, items in CLUSTERS.items():
        z = f"z_{cluster.replace(' ', '_')}"
        lines.append(f"  {z} := (theta - ({LOADINGS[cluster]} - 1) * synaptic_fall - theta_ref) / theta_scale\n")
        answers = []
        for item in items:
            slope, shift = (f"a_{item}" if f"a_{item}" in p else "a_j"), (f" - d_{item}" if f"d_{item}" in p else "")
            answers.append(f"answer({slope}, {z}{shift}, b_k1, b_k2, b_k3, b_k4)")
        lines.append(f"  pcl5_{cluster.replace(' ', '_')} := {' + '.join(answers)}\n")
    total = " + ".join(f"pcl5_{cluster.replace(' ', '_')}" for cluster in CLUSTERS)
    return "".join(lines) + f"  pcl5_total := min(max({total} + pcl5_offset, 0), 80)\n"


def _rate(infusions: Sequence[Infusion]) -> str:
    """The rate in mg/h: infusions that overlap add."""
    each = (f"infusion_{n}_on * infusion_{n}_dose / infusion_{n}_duration" for n, _ in enumerate(infusions, start=1))
    return " + ".join(each) or "no_infusion"


def _dose(ssri: Sequence[Ssri]) -> str:
    """The daily dose of an SSRI in mg."""
    return " + ".join(f"ssri_{n}_on * ssri_{n}_dose" for n, _ in enumerate(ssri, start=1)) or "no_ssri"


def _course(course: Course) -> Iterator[str]:
    """What is done and when. What holds at time 0 is a starting value; everything later is an event.

    A trigger, once true, stays true, so a solver that looks for where it turns cannot step over a short infusion.
    """
    for n, infusion in enumerate(course.regimen.infusions, start=1):
        yield f"""
  infusion_{n}_start = {float(infusion.start_h)!r}; infusion_{n}_start has hour
  infusion_{n}_duration = {float(infusion.duration_h)!r}; infusion_{n}_duration has hour
  infusion_{n}_dose = {float(infusion.dose_mg)!r}; infusion_{n}_dose has mg
  infusion_{n}_on = piecewise(1, infusion_{n}_start <= 0, 0); var infusion_{n}_on; infusion_{n}_on has dimensionless
  infusion_{n}_begins: at (time >= infusion_{n}_start): infusion_{n}_on = 1
  infusion_{n}_ends: at (time >= infusion_{n}_start + infusion_{n}_duration): infusion_{n}_on = 0
"""
    for n, sitting in enumerate(course.regimen.sittings()[1:], start=1):
        yield f"  sitting_{n + 1}: at (time >= {float(sitting[0].start_h)!r}): prior_sittings = {n}\n"
    for n, ssri in enumerate(course.ssri, start=1):
        yield f"""
  ssri_{n}_dose = {float(ssri.dose_mg_per_day)!r}; ssri_{n}_dose has mg_per_day
  ssri_{n}_start = {float(ssri.start_day)!r}; ssri_{n}_start has day
  ssri_{n}_on = piecewise(1, ssri_{n}_start <= 0, 0); var ssri_{n}_on; ssri_{n}_on has dimensionless
  ssri_{n}_begins: at (time >= ssri_{n}_start * hours_in_a_day): ssri_{n}_on = 1
"""
        if math.isfinite(ssri.stop_day):
            yield f"""
  ssri_{n}_stop = {float(ssri.stop_day)!r}; ssri_{n}_stop has day
  ssri_{n}_ends: at (time >= ssri_{n}_stop * hours_in_a_day): ssri_{n}_on = 0
"""
    yield from _therapy(course.therapy)


def _therapy(sessions: Sequence[TherapySession]) -> Iterator[str]:
    """Each session adds to X as X and the synapses are then; sessions of one moment one after another."""
    missed = ["(1 - X_0)"]
    for n, session in enumerate(sessions, start=1):
        yield f"  therapy_{n}_dose = {float(session.dose)!r}; therapy_{n}_dose has dimensionless\n"
        if session.day == 0:
            missed.append(f"(1 - lx * therapy_{n}_dose * synapse_gate_0 / (1 + synapse_gate_0))")
        else:
            yield f"""
  therapy_{n}_day = {float(session.day)!r}; therapy_{n}_day has day
  therapy_{n}: at (time >= therapy_{n}_day * hours_in_a_day), fromTrigger=false: X = X + therapy_{n}_dose * learnable
"""
    yield f"  X = 1 - {' * '.join(missed)}; synapse_gate_0 = (S_0 / S50)^m\n"


def _added(model: Model, pcl5_offset: float) -> Iterator[str]:
    """Values that are no symbols of the table, and units of what has none of its own."""
    women = "sex" in model.switches.covariates and model.person.sex == "female"
    responsiveness = "r_mil" if model.course.setting == "military" else "1"
    yield f"""
  weight_kg = {float(model.person.weight_kg)!r}; weight_kg has kg
  reference_weight_kg = {REFERENCE_WEIGHT_KG!r}; reference_weight_kg has kg
  CL_covariate = {WOMEN_CLEARANCE if women else 1.0!r}
  responsiveness = {responsiveness}; responsiveness is "of the setting: {model.course.setting}"
  P_belief = {float(model.belief)!r}; P_belief is "belief of having had the drug: {model.course.arm}"
  pcl5_offset = {float(pcl5_offset)!r}
  prior_sittings = 0; var prior_sittings
  hours_in_a_day = {HOURS_PER_DAY!r}; hours_in_a_day has hours_per_day
  seconds_in_an_hour = {SECONDS_PER_HOUR!r}; seconds_in_an_hour has seconds_per_hour
  umol_in_a_mmol = 1000; umol_in_a_mmol has umol_per_mmol
  no_infusion = 0; no_infusion has mg_per_hour; no_ssri = 0; no_ssri has mg_per_day
"""
    for name, (unit, words) in VARIABLES.items():
        if name != WITHOUT_INFUSIONS:
            yield f'  {name} has {_unit(unit)}; {name} is "{words}"\n'
    for name in WITHOUT_UNIT:
        yield f"  {name} has dimensionless\n"


def _with_notes(document: str, model: Model, site: str) -> str:
    """What must be read before the document is used."""
    p, course = model.p, model.course
    changed = ", ".join(f"{symbol} = {value:g}" for symbol, value in p.changed.items()) or "none"
    lines = [
        RESEARCH_ONLY,
        f"Reprieve {__version__}, src/reprieve/pharmacology/model.py. Time is in hours, severity in CAPS-5 points.",
        f"Parameter set: {p.name}; overridden: {changed}.",
        f"Plasma: {site}. Arm: {course.arm}. Setting: {course.setting}.",
        *p.warnings,
        *course.regimen.warnings(model.person.weight_kg),
    ]
    paragraphs = "".join(f'<p xmlns="{XHTML}">{escape(line)}</p>' for line in lines)
    return re.sub(r"(<model [^>]*>)", lambda found: f"{found[0]}<notes>{paragraphs}</notes>", document, count=1)


def _with_sources(document: str) -> str:
    """Each parameter of the table with how well it is known and where it comes from."""

    def sourced(found: re.Match[str]) -> str:
        row = table().get(found[1])
        if row is None:
            return found[0]
        words = f"{row.name}, {row.unit}: {row.level}; {row.source}" + (f" ({row.mark})" if row.mark else "")
        return f'{found[0][:-2]}><notes><p xmlns="{XHTML}">{escape(words)}</p></notes></parameter>'

    return re.sub(r'<parameter id="(\w+)"[^>]*/>', sourced, document)
