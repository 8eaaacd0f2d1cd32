"""Official wording, brought by a clinic that may use it, as a FHIR R4 Questionnaire.

Only the official wording is validated, and most of it may not be copied here. A clinic imports its own copy. Each
question must say which item it is (LOINC code, prefix or linkId) and what each answer weighs, so that no wording ends
up on the wrong item and no answer on the wrong number of points.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reprieve.instruments.instrument import Instrument, Item

ORDINAL_VALUE = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
ANSWERS_OF_YES = {"yes", "y", "true", "la33-6"}


class WordingError(ValueError):
    """A Questionnaire that does not match the instrument that it is meant for."""


def with_official_wording(instrument: Instrument, questionnaire: Mapping[str, Any]) -> Instrument:
    """The instrument with the prompts and answer words of an official Questionnaire.

    Parameters
    ----------
    questionnaire : a FHIR R4 Questionnaire as a dict. Groups may nest and display texts are passed over. Answers weigh
        by the ordinalValue extension on the option or on its coding, or by valueInteger; a question of type boolean
        needs no options unless its item is reverse scored.

    Returns
    -------
    items in the same order with official prompts; extra items that the Questionnaire leaves out are dropped

    Raises
    ------
    WordingError : if the count, the order or a weight differs from the table, or a text is blank
    """
    if not isinstance(questionnaire, Mapping) or questionnaire.get("resourceType") != "Questionnaire":
        raise WordingError(f"{instrument.id}: not a FHIR Questionnaire; its resourceType must be Questionnaire")
    questions = list(_questions(instrument, questionnaire.get("item")))
    items = _items_for(instrument, len(questions))
    worded = tuple(
        _worded(instrument, item, question, place)
        for place, (item, question) in enumerate(zip(items, questions, strict=True), start=1)
    )
    title, rights = (str(questionnaire.get(name) or "").strip() for name in ("title", "copyright"))
    wording = "; ".join(part for part in (f"official wording: {title or 'untitled'}", rights) if part)
    return replace(instrument, items=worded, wording=wording)


def _questions(instrument: Instrument, entries: object) -> Iterator[Mapping[str, Any]]:
    """Questions in order, groups opened up."""
    for entry in _objects(f"{instrument.id}: item", entries):
        kind = entry.get("type")
        if kind not in ("group", "display"):
            yield entry
        if "item" in entry:
            yield from _questions(instrument, entry["item"])


def _items_for(instrument: Instrument, count: int) -> tuple[Item, ...]:
    for items in (instrument.items, instrument.required):
        if len(items) == count:
            return items
    counts = sorted({len(instrument.required), len(instrument.items)})
    raise WordingError(
        f"{instrument.id}: the Questionnaire asks {count} questions; it must ask {' or '.join(map(str, counts))}"
    )


def _worded(instrument: Instrument, item: Item, question: Mapping[str, Any], place: int) -> Item:
    where = f"{instrument.id} question {place} (linkId {reprlib.repr(question.get('linkId'))})"
    number = _number_of(instrument, question)
    if number is None:
        raise WordingError(
            f"{where} does not say which item it is; give it linkId or prefix {item.number!r}"
            + (f", or LOINC code {item.loinc}" if item.loinc else "")
        )
    if number != item.number:
        raise WordingError(f"{where} is item {number}, where item {item.number} is due; keep the official order")
    prompt = question.get("text")
    if not isinstance(prompt, str) or not prompt.strip():
        raise WordingError(f"{where} has no text; give the official prompt")
    return replace(item, prompt=prompt.strip(), choices=_choices(where, item, question))


def _number_of(instrument: Instrument, question: Mapping[str, Any]) -> str | None:
    """Number of the item that a question says it is: by LOINC code, or else by prefix, or else by linkId."""
    link = str(question.get("linkId") or "")
    codes = {coding.get("code") for coding in _objects("code", question.get("code", []))} | {link.strip("/")}
    for item in instrument.items:
        if item.loinc and item.loinc in codes:
            return item.number
    for label in (str(question.get("prefix") or ""), link):
        last = re.search(r"(?:^|[^a-z0-9])q?([a-z]?[0-9]+[a-z]?)[.):]?$", label.strip().casefold())
        if last and last[1] in instrument.by_number:
            return instrument.by_number[last[1]].number
    return None


def _choices(where: str, item: Item, question: Mapping[str, Any]) -> tuple[str, ...]:
    """Words of the answers from the lowest to the highest, their weights held to the table."""
    if item.yes_no and not item.reverse and question.get("type") == "boolean":
        return ()
    options = list(_objects(f"{where}: answerOption", question.get("answerOption", [])))
    weighed = [(_weight(where, option), _words(option)) for option in options]
    due = list(range(item.lowest, item.highest + 1))
    if sorted(weight for weight, _ in weighed) != due:
        raise WordingError(
            f"{where} has answers that weigh {[weight for weight, _ in weighed]}; list them as answerOption with an "
            f"ordinalValue each, so that they weigh {due}"
        )
    if item.yes_no:
        _check_yes(where, item, weighed)
        return ()
    return tuple(words for _, words in sorted(weighed))


def _check_yes(where: str, item: Item, weighed: Sequence[tuple[int, str]]) -> None:
    yes = [weight for weight, words in weighed if words.casefold() in ANSWERS_OF_YES]
    if yes != [item.points(1)]:
        raise WordingError(
            f"{where} must have one answer 'yes', and it must weigh {item.points(1)}"
            + ("; this item scores for no, so check which wording of it you have" if item.reverse else "")
        )


def _weight(where: str, option: Mapping[str, Any]) -> int:
    coding = option.get("valueCoding")
    extensions = [*_objects(where, option.get("extension", []))]
    if isinstance(coding, Mapping):
        extensions += _objects(where, coding.get("extension", []))
    values = [
        extension.get("valueDecimal", extension.get("valueInteger"))
        for extension in extensions
        if extension.get("url") == ORDINAL_VALUE
    ] or [option.get("valueInteger")]
    value = values[0]
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise WordingError(
            f"{where}: answer {_words(option)!r} weighs {reprlib.repr(value)}; give it an ordinalValue that is a whole "
            "number"
        )
    return int(value)


def _words(option: Mapping[str, Any]) -> str:
    coding = option.get("valueCoding")
    if isinstance(coding, Mapping):
        return str(coding.get("display") or coding.get("code") or "").strip()
    return str(option.get("valueString", option.get("valueInteger", ""))).strip()


def _objects(where: str, entries: object) -> Iterator[Mapping[str, Any]]:
    """The entries of a FHIR list, each held to be an object."""
    if not isinstance(entries, list | tuple):
        raise WordingError(f"{where}: {reprlib.repr(entries)} is not a list; mend the Questionnaire")
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise WordingError(f"{where}: {reprlib.repr(entry)} is not an object; mend the Questionnaire")
        yield entry
