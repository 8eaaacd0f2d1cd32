import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprieve.candidacy.medicines import INGREDIENTS, INTERACTIONS, NAMES, hits_of, match, says_none, suggestions


@pytest.mark.parametrize(
    ("line", "ingredients"),
    [
        ("sertraline", ["sertraline"]),
        ("SERTRALINE 50mg once daily", ["sertraline"]),
        ("sertraline hydrochloride 50 mg tablets, one in the morning with food", ["sertraline"]),
        ("  sertraline\t100 MG \n at night", ["sertraline"]),
        ("Zoloft", ["sertraline"]),
        ("Lustral 50", ["sertraline"]),
        ("Xanax", ["alprazolam"]),
        ("Klonopin 0.5mg prn", ["clonazepam"]),
        ("Valium 5 mg", ["diazepam"]),
        ("Adderall XR 20", ["amphetamine", "dextroamphetamine"]),
        ("Suboxone 8mg/2mg film", ["buprenorphine", "naloxone"]),
        ("Contrave", ["bupropion", "naltrexone"]),
        ("Effexor XR 150", ["venlafaxine"]),
        ("Efexor XL", ["venlafaxine"]),
        ("Epilim Chrono 500", ["valproic acid"]),
        ("sodium valproate", ["valproic acid"]),
        ("pethidine", ["meperidine"]),
        ("rifampicin", ["rifampin"]),
        ("dexamfetamine 5 mg", ["dextroamphetamine"]),
        ("St John's wort", ["st john's wort"]),
        ("St. John’s Wort 300 mg", ["st john's wort"]),
        ("saint johns wort", ["st john's wort"]),
        ("st john wort", ["st john's wort"]),
        ("methylene blue", ["methylene blue"]),
        ("Xyrem", ["sodium oxybate"]),
        ("co-codamol 30/500", ["codeine"]),
        ("alcohol", ["ethanol"]),
        ("setraline", ["sertraline"]),
        ("sertralin 50", ["sertraline"]),
        ("clonazapam", ["clonazepam"]),
        ("venlafaxin", ["venlafaxine"]),
        ("propanolol 40mg bd", ["propranolol"]),
        ("amitriptiline", ["amitriptyline"]),
        ("Nardyl 15 mg", ["phenelzine"]),
        ("tranylcipromine", ["tranylcypromine"]),
        ("lorazepam and zolpidem", ["lorazepam", "zolpidem"]),
        ("lorazepam + phenelzyne", ["lorazepam", "phenelzine"]),
        ("lisinopril/hydrochlorothiazide 20/12.5", ["lisinopril", "hydrochlorothiazide"]),
        ("quetiapine 25mg, mirtazapine 15mg at night", ["quetiapine", "mirtazapine"]),
        ("café: 100mg caffeine 💊", ["caffeine"]),
        ("ser\u200btraline\x07", ["sertraline"]),
    ],
)
def test_line_is_read(line, ingredients):
    assert list(match(line).ingredients) == ingredients


@pytest.mark.parametrize(
    "line",
    [
        "foo",
        "calm drops",
        "omeprazole 20 mg",
        "vitamin D",
        "💊",
        "\x00\x1b[31m",
        "???",
        "1 tablet daily",
        "x" * 300,
        "",
        "maoi",
        "Xanaz",
        "zoft",
        "<script>",
        "hydralazine",
        "terazosin",
        "hydrocortisone cream",
        "buspirone",
        "clomiphene",
    ],
)
def test_line_that_is_not_recognised_is_never_clear(line):
    found = match(line)

    assert found.ingredients == ()
    assert not found.is_clear


def test_misspelling_says_what_it_was_read_as():
    assert match("setraline 50").read_as == (("setraline", "sertraline"),)
    assert match("sertraline 50").read_as == ()


@pytest.mark.parametrize(("line", "candidates"), [("fuloxetine", ("duloxetine", "fluoxetine"))])
def test_misspelling_between_two_medicines_is_not_guessed(line, candidates):
    found = match(line)

    assert (found.ingredients, found.candidates, found.is_clear) == ((), candidates, False)


def test_word_that_may_be_a_medicine_is_left_open_beside_one_that_was_read():
    found = match("sertraline, blorfazine")

    assert found.ingredients == ("sertraline",)
    assert not found.is_clear


@pytest.mark.parametrize("ingredient", INGREDIENTS)
def test_every_ingredient_is_read_by_its_own_name(ingredient):
    assert match(f"{ingredient} 10 mg daily").ingredients == (ingredient,)
    assert {hit.id for hit in hits_of(ingredient)} == set(INGREDIENTS[ingredient])


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_read_as_itself(name):
    assert match(name).ingredients == NAMES[name]


def test_short_names_are_read_only_when_exact():
    assert match("soma").ingredients == ("carisoprodol",)
    assert match("sima").ingredients == ()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(["none"], True), (["None."], True), (["no medicines", ""], False), (["none", "codeine"], False), ([], False)],
)
def test_no_medicines(lines, expected):
    assert says_none(lines) is expected


def test_hit_tells_what_to_do():
    hit = hits_of("Nardil 15 mg")[0]

    assert (hit.id, hit.level, hit.ingredient, hit.line) == (
        "DDI-08",
        "exclude_until_reviewed",
        "phenelzine",
        "Nardil 15 mg",
    )
    assert hit.action == INTERACTIONS["DDI-08"].action


def test_suggestions_are_names_without_those_that_lead_nowhere():
    names = suggestions()

    assert {"sertraline", "Zoloft", "Xanax", "st john's wort"} <= set(names)
    assert "omeprazole" not in names
    assert names == sorted(set(names), key=str.casefold)


@given(st.text(max_size=300))
def test_any_text_is_read_without_a_fault(line):
    found = match(line)

    assert found.is_clear <= bool(found.ingredients)
