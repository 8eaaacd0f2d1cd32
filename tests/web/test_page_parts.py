"""The pieces that every page is built from: fields, the error box, the tags, the stylesheets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django import forms
from django.template.loader import render_to_string

WEB = Path(__file__).parents[2] / "src" / "reprieve" / "web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
MISSING = "Choose yes, no or rather not say"


class ThreeParts(forms.MultiWidget):
    """Day, month, year."""

    def __init__(self) -> None:
        super().__init__([forms.TextInput({"autocomplete": f"bday-{part}"}) for part in ("day", "month", "year")])

    def decompress(self, value):
        return [None, None, None]


class Birth(forms.MultiValueField):
    widget = ThreeParts

    def compress(self, data_list):
        return data_list


class Questions(forms.Form):
    ever = forms.ChoiceField(
        label="Has it ever happened?",
        help_text="You do not need to tell us what it was.",
        choices=[("yes", "Yes"), ("no", "No"), ("prefer_not_to_say", "I would rather not say")],
        widget=forms.RadioSelect,
        error_messages={"required": MISSING},
    )
    phone = forms.CharField(
        label="Telephone",
        widget=forms.TextInput({"autocomplete": "tel", "type": "tel"}),
        error_messages={"required": "Write the number we should call"},
    )
    born = Birth(
        label="When were you born?",
        fields=[forms.CharField(), forms.CharField(), forms.CharField()],
        error_messages={"required": "Write your date of birth"},
    )


def part(name: str, **context: object) -> str:
    return render_to_string(name, context)


def ids(html: str) -> set[str]:
    return set(re.findall(r'\bid="([^"]+)"', html))


def test_the_only_question_of_a_page_is_the_heading_in_its_legend():
    html = part("_field_radios.html", field=Questions()["ever"], alone=True, progress="Question 3 of 18")

    legend = re.search(r"<legend>(.*?)</legend>", html, re.DOTALL)
    assert legend
    assert re.sub(r"<[^>]+>", "", legend[1]) == "Question 3 of 18 Has it ever happened?"
    assert "<h1>" in legend[1]


def test_nothing_is_chosen_beforehand():
    assert "checked" not in part("_field_radios.html", field=Questions()["ever"])


@pytest.mark.parametrize(
    ("field", "template"),
    [("ever", "_field_radios.html"), ("phone", "_field_text.html"), ("born", "_field_date.html")],
)
def test_hint_and_error_are_tied_to_the_field(field, template):
    html = part(template, field=Questions({})[field])

    described_by = re.search(r'aria-describedby="([^"]+)"', html)
    assert described_by
    assert set(described_by[1].split()) <= ids(html)
    assert f"id_{field}_error" in described_by[1]
    assert 'aria-invalid="true"' in html


def test_the_error_box_says_the_same_words_and_links_to_the_first_input():
    form = Questions({})
    box = part("_error_summary.html", form=form)
    fields = part("_field_radios.html", field=form["ever"])
    fields += part("_field_text.html", field=form["phone"]) + part("_field_date.html", field=form["born"])

    links = dict(re.findall(r'<a href="#([^"]+)">([^<]+)</a>', box))
    assert links["id_ever_0"] == MISSING
    assert set(links) <= ids(fields)
    assert all(words in fields for words in links.values())
    assert "3 answers need a look" in box


def test_one_blank_is_called_missing():
    box = part("_error_summary.html", form=Questions({"ever": "yes", "born_0": "1", "born_1": "2", "born_2": "1984"}))

    assert "One answer is missing" in box


def test_autocomplete_tokens_and_answers_are_kept():
    form = Questions({"phone": "555 0100", "born_0": "31", "born_2": "1984"})

    assert 'autocomplete="tel"' in part("_field_text.html", field=form["phone"])
    assert 'value="555 0100"' in part("_field_text.html", field=form["phone"])
    born = part("_field_date.html", field=form["born"])
    assert re.findall(r'autocomplete="([^"]+)"', born) == ["bday-day", "bday-month", "bday-year"]
    assert re.findall(r'value="([^"]+)"', born) == ["31", "1984"]


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_an_error_page_needs_no_context_and_still_leads_to_help(name):
    html = part(name)

    assert "In danger?" in html
    assert "https://findahelpline.com/" in html
    assert 'id="leave"' in html


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_nothing_is_inline(template):
    """The Content-Security-Policy would refuse it. Data for a script is no script."""
    html = template.read_text("utf-8")

    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=\s*[\"']|javascript:", html)
    assert not re.search(r'<script(?![^>]*\s(src=|type="application/json"))', html)


@pytest.mark.parametrize("name", ["site.css", "staff.css"])
def test_a_stylesheet_stays_small(name):
    assert (WEB / "static" / name).stat().st_size < 20_000


def parts_of(name: str) -> set[str]:
    """The template and all that it extends or includes by name."""
    named = re.findall(r'{%\s*(?:extends|include) "([^"]+)"', (WEB / "templates" / name).read_text("utf-8"))
    return {name}.union(*(parts_of(other) for other in named))


def test_no_page_before_the_log_in_uses_a_class_of_the_staff_stylesheet():
    site, staff = (
        set(re.findall(r"\.([a-z][\w-]*)", (WEB / "static" / name).read_text("utf-8")))
        for name in ("site.css", "staff.css")
    )
    pages = [parts_of(str(path.relative_to(WEB / "templates"))) for path in TEMPLATES]
    public = set().union(*(page for page in pages if "base.html" in page and "staff_base.html" not in page))
    text = "".join((WEB / "templates" / name).read_text("utf-8") for name in public)
    used = set(re.findall(r"[\w-]+", " ".join(re.findall(r'class="([^"]*)"', text))))

    assert {"timeline", "timeout", "urgent"} <= staff - site
    assert used & (staff - site) == set()
