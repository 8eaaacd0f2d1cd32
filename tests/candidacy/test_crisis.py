import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprieve.candidacy.crisis import COUNTRIES, CRISIS_LINES, EU_MEMBERS, first_line, lines_for


def services(*args, **kwargs):
    return [line.service for line in lines_for(*args, **kwargs)]


@given(st.none() | st.text(max_size=10), st.lists(st.booleans(), max_size=4))
def test_panel_is_never_empty(place, told):
    assert lines_for(place, *told) != ()


@pytest.mark.parametrize(
    ("place", "contact"),
    [
        ("US", "988"),
        ("US-CT", "988"),
        ("us-ct", "988"),
        ("GB", "116 123"),
        ("UK", "116 123"),
        ("IE", "116 123"),
        ("CA-ON", "9-8-8"),
        ("AU", "13 11 14"),
        ("NZ", "1737"),
        ("DE", "0800 111 0 111"),
        ("FR", "3114"),
        ("PT", "112"),
        ("EL", "112"),
        ("EU", "112"),
        ("CH", "findahelpline.com"),
        ("ZZ", "findahelpline.com"),
        ("", "findahelpline.com"),
        (None, "findahelpline.com"),
    ],
)
def test_first_line_by_place(place, contact):
    assert first_line(place).contact == contact


@pytest.mark.parametrize("country", sorted(EU_MEMBERS))
def test_every_country_of_the_union_has_an_emergency_number(country):
    assert any("112" in line.contact for line in lines_for(country))


def test_veteran_sees_the_veterans_line_first():
    assert services("US", veteran=True)[:2] == ["Veterans Crisis Line", "Veterans Crisis Line text"]
    assert services("GB", veteran=True)[0] == "Combat Stress (veterans)"
    assert "Combat Stress (veterans)" not in services("GB")
    assert "Veterans Crisis Line" in services("US")


def test_danger_shows_the_emergency_number_and_the_domestic_violence_line_first():
    assert services("US", danger=True)[:2] == ["Emergency services", "National Domestic Violence Hotline"]
    assert "National Domestic Violence Hotline" not in services("US")


def test_other_answers_add_their_line():
    assert "SAMHSA National Helpline" in services("US", substance_use=True)
    assert services("US", sexual_violence=True)[0] == "RAINN sexual assault hotline"
    assert not {"SAMHSA National Helpline", "RAINN sexual assault hotline"} & set(services("US"))


@pytest.mark.parametrize(
    ("place", "shown", "left_out"),
    [
        ("GB-SCT", "NHS 24 mental health hub (Scotland)", "NHS urgent mental health (England and Wales)"),
        ("GB-NIR", "Lifeline (Northern Ireland)", "NHS 24 mental health hub (Scotland)"),
        ("GB-ENG", "NHS urgent mental health (England and Wales)", "Lifeline (Northern Ireland)"),
    ],
)
def test_nation_of_the_united_kingdom(place, shown, left_out):
    assert shown in services(place)
    assert left_out not in services(place)
    assert {shown, left_out} <= set(services("GB"))


def test_number_to_dial_is_digits():
    numbers = {line.contact: line.number for line in CRISIS_LINES}

    assert numbers["988 then press 1"] == "988"
    assert numbers["1-800-799-7233 or text START to 88788"] == "18007997233"
    assert numbers["15 or 112"] == "15"
    assert numbers["text SHOUT to 85258"] == ""
    assert numbers["findahelpline.com"] == ""


def test_every_line_keeps_where_it_was_seen():
    assert all(line.source.url and line.source.provenance in ("read", "recalled") for line in CRISIS_LINES)
    assert set(COUNTRIES) >= {"US", "GB", "IE", "EU", "XX"}
