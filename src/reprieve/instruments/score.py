"""Answers in, a score out. A blank is never a zero: it leaves a range, and what the range cannot decide stays open."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reprieve.instruments.instrument import Answers, CutPoint, Findings, Instrument, Item, Reading, Result
from reprieve.instruments.tables import find

SEXES = ("female", "male")
WORDS = {"yes": 1, "no": 0}


class AnswerError(ValueError):
    """An answer that its item does not take, or answers that do not fit the instrument."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one cut point says: ``at_or_above``, ``borderline``, ``below`` or ``undetermined``."""

    cut_point: CutPoint
    result: str


@dataclass(frozen=True, slots=True)
class Score:
    """What the answers to one instrument amount to.

    Parameters
    ----------
    answers : by item number, None where blank; an extra item that was not asked is absent
    total : None while blanks leave it open, and where the instrument has none
    total_range : lowest and highest total that the answers allow; None where the instrument has no total
    subscales : lowest and highest sum of each
    band : severity band; "undetermined" when the range crosses an edge; None where there are no bands
    missing : numbers of the items left blank, without those that were rightly skipped
    results : what the instrument's own rule found, for example ``provisional_ptsd`` or ``tier``
    notes : what the reader must know beside the numbers
    """

    instrument: Instrument
    answers: Answers
    total: int | None
    total_range: tuple[int, int] | None
    subscales: Mapping[str, tuple[int, int]]
    band: str | None
    cut_points: Mapping[str, Verdict]
    missing: tuple[str, ...]
    results: Mapping[str, Result]
    notes: tuple[str, ...]

    @property
    def from_memory(self) -> tuple[str, ...]:
        """Facts that this score rests on and that nobody has checked yet."""
        facts = self.instrument.facts
        rests_on = ["scoring_rule"] + ["severity_bands"] * bool(self.band)
        rests_on += [verdict.cut_point.fact for verdict in self.cut_points.values()]
        return tuple(name for name in dict.fromkeys(rests_on) if facts[name].source.mark)

    def as_dict(self) -> dict[str, Any]:
        """The score as plain values that JSON can hold, the rule's results among them."""
        return {
            "instrument": self.instrument.id,
            "total": self.total,
            "total_range": self.total_range and list(self.total_range),
            "band": self.band,
            "subscales": {name: list(bounds) for name, bounds in self.subscales.items()},
            "cut_points": {name: _verdict_as_dict(self.instrument, given) for name, given in self.cut_points.items()},
            "missing": list(self.missing),
            **{name: list(found) if isinstance(found, tuple) else found for name, found in self.results.items()},
            "notes": list(self.notes),
            "from_memory": list(self.from_memory),
            "wording": self.instrument.wording,
        }


def score(
    instrument: Instrument | str, answers: Sequence[object] | Mapping[Any, object], *, sex: str | None = None
) -> Score:
    """Score the answers to an instrument.

    Parameters
    ----------
    instrument : one of ``INSTRUMENTS``, or its name
    answers : in item order, or by item number; None for a blank; whole numbers, or "yes", "no", True and False where
        an item takes them. A list may leave out the extra items, all of them together.
    sex : "female" or "male", for a cut point that differs; otherwise the lower one is used, and a note says so

    Raises
    ------
    AnswerError : if an answer, an item number or the count of answers does not fit

    Examples
    --------
    Two items of seven are blank: the total lies between 10 and 16, on two sides of a band's edge.

    >>> found = score("GAD-7", [2, 2, 2, 2, 2, None, None])
    >>> found.total, found.total_range, found.band, found.missing
    (None, (10, 16), 'undetermined', ('6', '7'))
    """
    instrument = find(instrument) if isinstance(instrument, str) else instrument
    given = read_answers(instrument, answers)
    points = {item.number: _points(instrument, item, given) for item in instrument.scored}
    total_range = _sum(points, points) if points else None
    verdicts, cut_notes = _judge(instrument, total_range, _known_sex(sex))
    missing = _missing(instrument, given)
    reading = Reading(given, {name: verdict.result for name, verdict in verdicts.items()}, missing)
    found = instrument.rule(reading) if instrument.rule else Findings({})
    return Score(
        instrument=instrument,
        answers=given,
        total=total_range[0] if total_range and total_range[0] == total_range[1] else None,
        total_range=total_range,
        subscales={subscale.name: _sum(points, subscale.items) for subscale in instrument.subscales},
        band=_band(instrument, total_range),
        cut_points=verdicts,
        missing=missing,
        results=found.results,
        notes=(*found.notes, *cut_notes, *_contradictions(instrument, given)),
    )


def read_answers(instrument: Instrument, answers: object) -> dict[str, int | None]:
    """Answers as whole numbers by item number, in the order of the items, blanks as None."""
    if isinstance(answers, Mapping):
        given = _by_number(instrument, answers)
    elif isinstance(answers, Sequence) and not isinstance(answers, str | bytes | bytearray):
        given = _in_order(instrument, answers)
    else:
        raise AnswerError(
            f"{instrument.id}: {reprlib.repr(answers)} is neither a list nor a mapping; give the answers in item "
            "order, or by item number"
        )
    return {
        item.number: _read(instrument, item, given.get(item.number))
        for item in instrument.items
        if item.number in given or item.use != "extra"
    }


def _in_order(instrument: Instrument, answers: Sequence[object]) -> dict[str, object]:
    for items in (instrument.items, instrument.required):
        if len(answers) == len(items):
            return {item.number: answer for item, answer in zip(items, answers, strict=True)}
    counts = sorted({len(instrument.required), len(instrument.items)})
    raise AnswerError(
        f"{instrument.id}: {len(answers)} answers; a list must hold {' or '.join(map(str, counts))}, in item order, "
        "with null for each blank"
    )


def _by_number(instrument: Instrument, answers: Mapping[Any, object]) -> dict[str, object]:
    given: dict[str, object] = {}
    for key, answer in answers.items():
        item = None if isinstance(key, bool) else instrument.by_number.get(str(key).strip().casefold())
        if item is None:
            raise AnswerError(
                f"{instrument.id} has no item {reprlib.repr(key)}; its items are "
                f"{', '.join(item.number for item in instrument.items)}"
            )
        if item.number in given:
            raise AnswerError(f"{instrument.id} item {item.number} is answered twice; give one answer")
        given[item.number] = answer
    return given


def _read(instrument: Instrument, item: Item, answer: object) -> int | None:
    if answer is None:
        return None
    number = _yes_or_no(answer) if item.yes_no else None
    number = _whole(answer) if number is None else number
    if number is None or not item.lowest <= number <= item.highest:
        raise AnswerError(
            f"{instrument.id} item {item.number}: {reprlib.repr(answer)} is not an answer to it; give {item.allowed}, "
            "or null where it was left blank"
        )
    return number


def _yes_or_no(answer: object) -> int | None:
    if isinstance(answer, bool):
        return int(answer)
    return WORDS.get(answer.strip().casefold()) if isinstance(answer, str) else None


def _whole(answer: object) -> int | None:
    if isinstance(answer, bool):
        return None
    if isinstance(answer, float) and answer.is_integer():
        return int(answer)
    return answer if isinstance(answer, int) else None


def _points(instrument: Instrument, item: Item, answers: Answers) -> tuple[int, int]:
    """Fewest and most points that an item can give.

    An item that was rightly not asked gives none. If it has an answer all the same, the two answers contradict each
    other and both stay possible. A reversed item gives points for no, so it waits for the item that decides on it.
    """
    answer = answers[item.number]
    low, high = (item.lowest, item.highest) if answer is None else (item.points(answer),) * 2
    if item.number in instrument.asked_after:
        decides = answers.get(instrument.asked_after[item.number])
        if decides == 0:
            return 0, 0 if answer is None or item.reverse else high
        if decides is None and item.reverse:
            return 0, high
    return low, high


def _sum(points: Mapping[str, tuple[int, int]], numbers: Sequence[str] | Mapping[str, object]) -> tuple[int, int]:
    return sum(points[number][0] for number in numbers), sum(points[number][1] for number in numbers)


def _skipped(instrument: Instrument, answers: Answers) -> set[str]:
    return {number for number, decides in instrument.asked_after.items() if answers.get(decides) == 0}


def _missing(instrument: Instrument, answers: Answers) -> tuple[str, ...]:
    skipped = _skipped(instrument, answers)
    return tuple(number for number, answer in answers.items() if answer is None and number not in skipped)


def _contradictions(instrument: Instrument, answers: Answers) -> tuple[str, ...]:
    skipped = _skipped(instrument, answers)
    return tuple(
        f"Item {instrument.asked_after[item.number]} says that item {item.number} does not apply, yet it is answered: "
        "ask again."
        for item in instrument.items
        if item.number in skipped and answers.get(item.number) and not item.reverse
    )


def _band(instrument: Instrument, total_range: tuple[int, int] | None) -> str | None:
    if not instrument.bands or total_range is None:
        return None
    lowest, highest = map(instrument.band_of, total_range)
    return lowest if lowest == highest else "undetermined"


def _known_sex(sex: str | None) -> str | None:
    if sex in SEXES:
        return sex
    if sex in (None, "not_stated"):
        return None
    raise AnswerError(f"sex {reprlib.repr(sex)}; it must be female, male or not_stated")


def _judge(
    instrument: Instrument, total_range: tuple[int, int] | None, sex: str | None
) -> tuple[dict[str, Verdict], tuple[str, ...]]:
    """The verdict of each cut point, and a note where the sex that decides on one was not stated."""
    chosen: dict[str, CutPoint] = {}
    for cut in sorted(instrument.cut_points, key=lambda cut: cut.cut, reverse=True):
        if sex is None or cut.sex in ("", sex):
            chosen[cut.name] = cut  # the lowest of the same name comes last
    if total_range is None:
        return {}, ()
    notes = tuple(
        f"Sex was not stated, so the lower cut point, {cut.cut}, was used."
        for cut in chosen.values()
        if cut.sex and sex is None
    )
    in_order = dict.fromkeys(cut.name for cut in instrument.cut_points)
    return {name: Verdict(chosen[name], chosen[name].judge(*total_range)) for name in in_order}, notes


def _verdict_as_dict(instrument: Instrument, verdict: Verdict) -> dict[str, Any]:
    cut, source = verdict.cut_point, instrument.facts[verdict.cut_point.fact].source
    return {"cut": cut.cut, "result": verdict.result, "source_url": source.url, "provenance": source.provenance}
