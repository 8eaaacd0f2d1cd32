"""How it is thought to work: each link with its standing, what was seen, and what a made-up person shows."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from reprieve.evidence import plain
from reprieve.evidence.tables import tables
from reprieve.pharmacology import made_up as simulated
from reprieve.pharmacology.links import drawn, links
from reprieve.pharmacology.made_up import SLIDERS, Settings, made_up
from reprieve.pharmacology.panels import PANELS, in_short, panel
from tests.web.reading import grade, words_of

pytestmark = pytest.mark.django_db

HERE = "/what-is-known/how-it-may-work/"
JUNK = ["dose=lots", "dose=", "dose=-4", "dose=nan", "infusions=1e99", "stress=0.33", "ssri=30", "dose=1&dose=0", "x=1"]


def page(browser: Client, query: str = "") -> str:
    """The page as sent, entities undone."""
    found = browser.get(f"{HERE}?{query}")
    assert found.status_code == 200
    return unescape(found.content.decode())


def section_of(html: str, link_id: str) -> str:
    """The panel of one link."""
    start = html.index(f'<section class="wide flow" id="{link_id}"')
    return html[start : html.index("</section>", start)]


def text_of(html: str, element_id: str) -> str:
    """What stands in an element that holds words only."""
    found = re.search(rf'id="{element_id}"[^>]*>([^<]*)<', html)
    assert found, element_id
    return found[1]


def test_every_id_behind_a_link_is_in_the_evidence():
    known = tables()

    for link in links().values():
        assert set(link.claims) <= set(known.claims)
        assert set(link.findings) <= set(known.findings)
        assert set(link.statements) <= set(plain.all_statements())
    findings = [name for link in links().values() for name in link.findings]
    assert len(findings) == len(set(findings))


def test_every_link_stands_with_its_word_its_reason_and_its_studies(bo: Client) -> None:
    html = page(bo)

    for link in drawn():
        section = section_of(html, link.id)
        assert f'<h2 id="of-{link.id}">{link.heading}</h2>' in section
        assert f">{link.standing.capitalize()}</span> {link.plain}" in section
        for name in link.claims:
            assert tables().claims[name].claim in section
            assert tables().claims[name].reasoning in section
        for name in link.findings:
            assert f'<tr role="row" id="{name}">' in section
        for name in link.statements:
            assert plain.all_statements()[name].text in section
        for source in link.sources():
            assert source.name in section


def test_no_finding_is_lost_and_none_stands_twice(bo: Client) -> None:
    html = page(bo)

    assert sorted(re.findall(r'<tr role="row" id="([^"]+)"', html)) == sorted(tables().findings)


def test_each_part_of_the_account_is_judged(bo: Client) -> None:
    html = page(bo)

    for claim_id in ("c01", "c04", "c05", "c06", "c07", "c08", "c09"):
        assert html.count(tables().claims[claim_id].claim) == 1
    assert "Seen in people" in html
    assert "Seen in animals" in html


def test_the_picture_says_each_link_in_words(bo: Client) -> None:
    html = page(bo)

    for link in drawn():
        assert f"{link.heading}: {link.standing}" in html
        assert f'<a href="#{link.id}">' in html
    assert "Of 12 links, five are well founded, four are plausible, and three are speculative." in html


def test_it_is_plain_that_nobody_in_particular_is_meant(bo: Client) -> None:
    html = page(bo)

    assert "This is arithmetic about a made-up person, not about you." in html
    assert "No forecast for anybody: this is a made-up person." in section_of(html, "synapses-symptoms")
    assert "We chose the strength of this link to meet a small trial" in section_of(html, "synapses-symptoms")
    assert plain.all_statements()["largest-trial"].text in section_of(html, "synapses-symptoms")
    assert set(re.findall(r'<input[^>]* name="(\w+)"', html)) == {slider.name for slider in SLIDERS}


def test_an_eleven_year_old_can_read_it(bo: Client) -> None:
    """The folded parts give the studies as their authors put them."""
    html = bo.get(HERE).content.decode()
    words = words_of(re.sub(r"<details>.*?</details>", "", html, flags=re.DOTALL))

    assert grade(words) <= 6, words


# Settings


def test_words_and_tables_follow_the_settings(bo: Client) -> None:
    settings = Settings(dose=0.8, infusions=3, therapy=10, ssri=100, stress=0.4)
    html = page(bo, "dose=0.8&infusions=3&therapy=10&ssri=100&stress=0.4")

    one = made_up(settings)
    assert text_of(html, "in-short") == in_short(one)
    for name in PANELS:
        assert text_of(html, f"said-{name}") == panel(name, one).said
        assert f"{name}-620-dark.svg?dose=0.8&infusions=3&therapy=10&ssri=100&stress=0.4" in html
    severity = one["caps5_total"]
    assert f'<td class="number">{severity[0] - severity[-1]:.1f}</td>' in section_of(html, "synapses-symptoms")


@pytest.mark.parametrize("query", ["dose=0", "infusions=0"])
def test_without_drug_nothing_changes_and_none_of_the_fall_is_ketamine(bo: Client, query: str) -> None:
    html = page(bo, query)

    assert "so nothing changes here." in text_of(html, "said-blood-receptor")
    assert "so none of that is ketamine." in text_of(html, "in-short")


def test_each_slider_has_a_label_its_value_and_real_steps(bo: Client) -> None:
    html = page(bo, "dose=0.7&ssri=75")

    for slider in SLIDERS:
        assert f'<label for="{slider.name}">{slider.label}</label>' in html
        assert re.search(rf'<input type="range" id="{slider.name}" [^>]*step="{slider.step:g}"', html)
    assert '<output for="dose">0.7 mg per kg</output>' in html
    assert '<output for="ssri">75 mg a day</output>' in html


@pytest.mark.parametrize("query", JUNK)
def test_junk_in_the_address_falls_to_the_nearest_or_the_usual(bo: Client, query: str) -> None:
    html = page(bo, query)

    for slider in SLIDERS:
        found = re.search(rf'id="{slider.name}"[^>]* value="([^"]*)"', html)
        assert found
        assert found[1] in {slider.text(slider.at(step)) for step in range(slider.steps + 1)}
    assert bo.get(f"{HERE}synapses-symptoms-328-light.svg?{query}").status_code == 200


def test_a_page_and_its_pictures_simulate_once(bo: Client) -> None:
    simulated.made_up.cache_clear()
    html = page(bo, "dose=0.9&therapy=2")
    addresses = re.findall(r'src="([^"]*328-light.svg[^"]*)"', html)

    for address in addresses:
        assert bo.get(address).status_code == 200
    assert len(addresses) == 1 + len(PANELS)
    assert simulated.made_up.cache_info().misses == 1


# Pictures


@pytest.mark.parametrize("name", ["chain", *PANELS])
def test_a_picture_is_plain_svg_of_the_size_that_the_page_keeps_for_it(bo: Client, name: str) -> None:
    sent = bo.get(f"{HERE}{name}-328-light.svg")
    kept = re.search(rf'<img src="{HERE}{name}-328-light.svg[^"]*" width="(\d+)" height="(\d+)"', page(bo))

    assert kept
    assert sent.headers["Content-Type"] == "image/svg+xml"
    assert f'width="{kept[1]}" height="{kept[2]}"' in sent.content.decode()[:300]
    assert not re.search(rb"<script|<style| style=", sent.content)


@pytest.mark.parametrize("path", ["nothing-328-light.svg", "chain-329-light.svg", "chain-328-loud.svg"])
def test_no_other_picture_is_drawn(bo: Client, path: str) -> None:
    assert bo.get(HERE + path).status_code == 404


def test_the_old_words_are_gone(bo: Client) -> None:
    assert "How it may work" not in bo.get("/what-is-known/").content.decode()
    assert "How it is thought to work" in bo.get("/what-is-known/").content.decode()
