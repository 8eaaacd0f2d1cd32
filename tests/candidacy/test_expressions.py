import pytest

from reprieve.candidacy.expressions import ExpressionError, Kind, parse

KINDS = {"number": Kind.VALUE, "other": Kind.VALUE, "said": Kind.CHOICE, "ticked": Kind.LIST, "place": Kind.VALUE}


def decide(text, **answers):
    return parse(text, KINDS).decide(KINDS, answers)


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("number > 140", {"number": 141}, True),
        ("number > 140", {"number": 140}, False),
        ("number > 140", {}, None),
        ("number > other", {"number": 2, "other": 1}, True),
        ("number > other", {"number": 2}, None),
        ("number == 1 or other == 1", {"number": 1}, True),
        ("number == 1 or other == 1", {"number": 2}, None),
        ("number == 1 or other == 1", {"number": 2, "other": 2}, False),
        ("number == 1 and other == 1", {"number": 2}, False),
        ("number == 1 and other == 1", {"number": 1}, None),
        ("not number == 1", {"number": 2}, True),
        ("not number == 1", {"number": 1}, False),
        ("not number == 1", {}, None),
        ("not (number == 1 and other == 1)", {"number": 2}, True),
        ("not (number == 1 or other == 1)", {"number": 2}, None),
        ("number != 1", {"number": 2}, True),
        ("place[:2] == 'US'", {"place": "US-CT"}, True),
        ("place[:2] == 'US'", {"place": "GB"}, False),
        ("place[:2] == 'US'", {}, None),
    ],
)
def test_kleene_logic(text, answers, expected):
    assert decide(text, **answers) is expected


@pytest.mark.parametrize(
    ("ticked", "expected"),
    [
        (None, None),
        ([], None),
        (["a"], True),
        (["none"], False),
        (["b"], False),
        (["not_sure"], None),
        (["b", "not_sure"], None),
        (["b", "prefer_not_to_say"], None),
        (["a", "not_sure"], True),
        (["not_applicable"], False),
    ],
)
def test_tick_list(ticked, expected):
    assert decide("'a' in ticked", ticked=ticked) is expected
    assert decide("'a' not in ticked", ticked=ticked) is (None if expected is None else not expected)


@pytest.mark.parametrize(
    ("text", "said", "expected"),
    [
        ("said == 'yes'", "yes", True),
        ("said == 'yes'", "no", False),
        ("said == 'yes'", "not_sure", None),
        ("said == 'yes'", "prefer_not_to_say", None),
        ("said in ('no', 'not_sure')", "not_sure", True),
        ("said in ('no', 'not_sure')", "yes", False),
        ("said in ('no', 'not_sure')", None, None),
        ("given(said, 'not_sure') != 'over'", "not_sure", True),
        ("given(said, 'not_sure') != 'over'", None, True),
        ("given(said, 'not_sure') != 'over'", "over", False),
        ("given(said, 'no') == 'yes'", None, False),
        ("given(said, 'no') == 'yes'", "not_sure", None),
        ("given(said, 'no') == 'yes'", "yes", True),
    ],
)
def test_not_sure_is_unknown_unless_the_comparison_names_it(text, said, expected):
    assert decide(text, said=said) is expected


@pytest.mark.parametrize(
    ("ticked", "expected"), [(None, True), (["a"], False), (["a", "not_sure"], True), (["none"], False)]
)
def test_default_of_a_list_stands_until_the_list_is_settled(ticked, expected):
    assert decide("given(ticked, 'unsorted') == 'unsorted'", ticked=ticked) is expected


@pytest.mark.parametrize(
    "text",
    [
        "number > 140",
        "'a' in ticked",
        "said == 'yes'",
        "given(number, 0) > 1",
        "given(number, 2) > 1",
        "number > 1 or 'a' in ticked",
        "number > 1 and other > 1",
        "not number > 1",
        "given(ticked, 'x') == 'x'",
        "given(said, 'no') == 'yes' or number == 1",
        "not (given(number, 9) > 3) and 'a' in ticked",
    ],
)
def test_absent_names_decide_like_blanks(text):
    blank = parse(text, KINDS).decide(KINDS, {})

    assert parse(text, KINDS, absent=KINDS.keys()).decide(KINDS, {}) is blank


def test_open_names_are_told():
    rule = parse("number > 1 or 'a' in ticked or given(said, 'no') == 'yes'", KINDS)

    assert rule.open_names(0b101) == ("number", "said")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "number.real > 1",
        "number + 1 > 2",
        "len(ticked) > 1",
        "given(number) > 1",
        "given(number, other) > 1",
        "given('number', 1) > 1",
        "given(number, default=1) > 1",
        "1 < number < 3",
        "[option for option in ticked]",
        "lambda: 1",
        "number if other else 1",
        "(number := 1) > 0",
        "nobody > 1",
        "number",
        "True",
        "number in other",
        "number in (other, 1)",
        "place[1:] == 'U'",
        "place[0] == 'U'",
        "place[:2:2] == 'U'",
        "'a' == ticked",
        "ticked == 'a'",
        "1 in ticked",
        "number is None",
        "f'{number}' == '1'",
        "b'1' == number",
        "1 > given(number, 0)",
        "given(number, 'x') > 1",
        "number > None",
        "number >",
        "",
        "number > 1\nother > 1",
        "\x00",
        "(" * 300 + "number > 1" + ")" * 300,
        "number > 1 or " * 200 + "number > 1",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ExpressionError):
        parse(text, KINDS)
