"""Medicines as people type them, matched to ingredients, and what each ingredient does beside ketamine.

A line that matches nothing is reported as not recognised. It is never taken as harmless, and a name that could be
two medicines is not guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from reprieve.sources import Source, read_table

LEVELS = ("note", "hold_on_day", "caution", "exclude_until_reviewed")
LONGEST_NAME = 4  # words
EXACT_BELOW, ONE_SLIP_BELOW = 6, 8  # letters: shorter names must be exact; longer ones may have one slip, then two
NO_MEDICINES = frozenset(
    {"none", "no", "nil", "nothing", "n a", "no medicines", "no medicine", "no medication", "no meds"}
)

NOT_NAMES = frozenset(
    """a about acetate after also am an and anxiety as asleep at back bad bd because bed bedtime before besylate
    better bid blood both brand bromide but by can cap caps capsule capsules chewable chloride citrate cold cr
    cream currently daily day days depression dihydrochloride dispersible doctor dose doses drop drops each
    eight emergency enteric er evening every extended extra eye eyes fast first five fluid food for four from
    fumarate generic get gp gram grams half has have hcl head headaches heart help helps high hour hours hrs
    hydrochloride i if ii iii im in inhaler inj injection injections ir is iu iv just la last liquid little
    long low lozenge lunch maleate mane max maybe mcg meal meals med medication medicine meds mesylate mg
    micrograms milligrams mine ml modified month monthly months mood morning mornings most mr my nasal needed
    nerves new night nightly nightmares nights nocte not now occasionally od of often oil on once one only or
    oral over pack pain panic patch patches per phosphate pill pills plus po prescribed pressure prn prolonged
    ptsd puff puffs qds qhs qid quick regularly release rescue retard same since sleep sleeping slow small
    sodium solution sometimes soon spray sr started stomach stopped stopping strength succinate sulfate
    sulphate sure suspension sustained syrup tab table tablet tablets tabs take taken takes taking tartrate
    tds ten that the then these they thing this three tid time times to today together tonight tried twice two
    under unit units up use used usually very want was water week weekly weeks when which while with work xl
    xr year years yesterday""".split()
)


class MedicineError(ValueError):
    """A row of the medicine tables that does not fit the others."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """What a class of medicines does beside ketamine, and which criteria it feeds."""

    id: str
    level: str
    drug_or_class: str
    ingredients: tuple[str, ...]
    mechanism: str
    consequence: str
    action: str
    strength: str
    criteria: tuple[str, ...]
    note: str
    source: Source


class Hit(NamedTuple):
    """One interaction of one typed line."""

    id: str
    level: str
    drug_or_class: str
    ingredient: str
    line: str
    consequence: str
    action: str
    strength: str
    source_url: str
    mark: str


class Match(NamedTuple):
    """What one typed line was read as.

    ``read_as`` pairs a misspelt word with the name it was taken for. ``candidates`` are the names between which a
    misspelt word could not be decided. ``is_clear`` is False when any word was left that could be a medicine.
    """

    line: str
    ingredients: tuple[str, ...]
    read_as: tuple[tuple[str, str], ...] = ()
    candidates: tuple[str, ...] = ()
    is_clear: bool = True


def _by_interaction(rows: Iterable[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["interaction_id"], []).append(row["ingredient"])
    return {key: tuple(names) for key, names in found.items()}


def _read_interactions() -> dict[str, Interaction]:
    levels = {row["interaction_id"]: row for row in read_table(__package__, "interaction_levels.csv")}
    ingredients = _by_interaction(read_table(__package__, "interaction_ingredients.csv"))
    read = {}
    for row in read_table(__package__, "interactions.csv"):
        key = row["interaction_id"]
        if levels[key]["level"] not in LEVELS:
            raise MedicineError(f"level {levels[key]['level']!r} of {key}; it must be one of {', '.join(LEVELS)}")
        read[key] = Interaction(
            id=key,
            level=levels[key]["level"],
            drug_or_class=row["drug_or_class"],
            ingredients=ingredients[key],
            mechanism=row["mechanism"],
            consequence=row["consequence"],
            action=row["action"],
            strength=row["evidence_strength"],
            criteria=tuple(filter(None, levels[key]["criterion_ids"].split(";"))),
            note=levels[key]["note"],
            source=Source(row["drug_or_class"], row["source_url"], row["provenance"]),
        )
    return read


def words_of(line: str) -> list[str]:
    """The words of a line, plain: small letters, no accents, no apostrophes, no signs.

    >>> words_of("St. John’s wort\\u200b 300mg")
    ['st', 'johns', 'wort', '300mg']
    """
    plain = unicodedata.normalize("NFKD", line).casefold()
    plain = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Mn", "Cf"))
    return re.findall(r"[a-z0-9]+", re.sub(r"['’`´]", "", plain))


INTERACTIONS: dict[str, Interaction] = _read_interactions()
INGREDIENTS: dict[str, tuple[str, ...]] = {}
"""Interactions by ingredient."""
for _interaction in INTERACTIONS.values():
    for _name in _interaction.ingredients:
        INGREDIENTS[_name] = (*INGREDIENTS.get(_name, ()), _interaction.id)

_KNOWN_NAMES = read_table(__package__, "medicine_names.csv")
NAMES: dict[str, tuple[str, ...]] = {" ".join(words_of(name)): (name,) for name in INGREDIENTS}
"""Ingredients by plain name; none for a medicine that is known but has no row here, so that it is not mistaken."""
for _row in _KNOWN_NAMES:
    _found = tuple(filter(None, _row["ingredients"].split("; ")))
    if unknown := set(_found) - INGREDIENTS.keys():
        raise MedicineError(f"{_row['name']} names {', '.join(unknown)}, in no row of interaction_ingredients.csv")
    NAMES.setdefault(" ".join(words_of(_row["name"])), _found)

_SPELLABLE = [name for name in NAMES if " " not in name and len(name) >= EXACT_BELOW - 1]


def suggestions() -> list[str]:
    """Names to offer while a person types: ingredients and brands, in order.

    >>> "Xanax" in suggestions(), "alprazolam" in suggestions()
    (True, True)
    """
    brands = [row["name"] for row in _KNOWN_NAMES if row["kind"] == "brand"]
    return sorted({*INGREDIENTS, *brands}, key=str.casefold)


def _nearest(word: str) -> list[str]:
    """Names a misspelt word may stand for, the equally near ones together; none when nothing is near."""
    if len(word) < EXACT_BELOW or not word.isalpha():
        return []
    slips = 1 if len(word) < ONE_SLIP_BELOW else 2
    found = process.extract(word, _SPELLABLE, scorer=OSA.distance, score_cutoff=slips, limit=None)
    near = [(name, distance) for name, distance, _ in found if distance < 2 or name[0] == word[0]]
    best = min((distance for _, distance in near), default=0)
    return [name for name, distance in near if distance == best]


def _parts(line: str) -> Iterator[list[str]]:
    for part in re.split(r"[,;/+&\n\r|]", line):
        if words := words_of(part):
            yield words


@lru_cache(maxsize=8192)
def match(line: str) -> Match:
    """Read one line of a medicine list.

    Examples
    --------
    >>> match("Setraline 50mg once daily").ingredients
    ('sertraline',)
    >>> match("Xanax 0.5").ingredients
    ('alprazolam',)
    >>> match("some herbal tea").is_clear
    False
    >>> match("fuloxetine").candidates
    ('duloxetine', 'fluoxetine')
    """
    ingredients: dict[str, None] = {}
    read_as: list[tuple[str, str]] = []
    candidates: set[str] = set()
    is_clear, named = True, False
    for words in _parts(line):
        while words:
            for length in range(min(LONGEST_NAME, len(words)), 0, -1):
                if (name := " ".join(words[:length])) in NAMES:
                    break
            else:
                name, length = "", 1
            word, words = words[0], words[length:]
            if not name:
                if word in NOT_NAMES or len(word) < 3 or word[0].isdigit():
                    continue
                near = _nearest(word)
                if len({NAMES[close] for close in near}) == 1 and NAMES[near[0]]:
                    name = near[0]
                    read_as.append((word, name))
                else:
                    is_clear = False
                    candidates.update(near)
                    continue
            named = True
            ingredients.update(dict.fromkeys(NAMES[name]))
            is_clear = is_clear and bool(NAMES[name])
    return Match(line, tuple(ingredients), tuple(read_as), tuple(sorted(candidates)), is_clear and named)


def says_none(lines: Iterable[str]) -> bool:
    """Whether the list says that there are no medicines.

    >>> says_none(["None."]), says_none(["none", "codeine"])
    (True, False)
    """
    plain = [" ".join(words_of(line)) for line in lines]
    return bool(plain) and all(line in NO_MEDICINES for line in plain)


def hit(interaction_id: str, ingredient: str, line: str) -> Hit:
    """One interaction, with the words that led to it."""
    found = INTERACTIONS[interaction_id]
    return Hit(
        id=found.id,
        level=found.level,
        drug_or_class=found.drug_or_class,
        ingredient=ingredient,
        line=line,
        consequence=found.consequence,
        action=found.action,
        strength=found.strength,
        source_url=found.source.url,
        mark=found.source.mark,
    )


@lru_cache(maxsize=8192)
def hits_of(line: str) -> tuple[Hit, ...]:
    """The interactions of one typed line."""
    return tuple(
        hit(key, ingredient, line) for ingredient in match(line).ingredients for key in INGREDIENTS[ingredient]
    )
