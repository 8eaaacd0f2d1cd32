"""The evidence for anybody: every figure computed, every row it came from one press away."""

from __future__ import annotations

import re
from html import unescape
from importlib import resources

import pytest
from django.test import Client

from reprieve.evidence import plain
from reprieve.evidence.answer import answer
from reprieve.evidence.claims import judged
from reprieve.evidence.question import WINDOWS, Question
from reprieve.evidence.tables import tables
from reprieve.web.public_words import statements
from tests.web.reading import grade, words_of

pytestmark = pytest.mark.django_db

HERE = "/what-is-known/"
NAMES = ["", "claims/", "trials/", "harms/", "guidelines/", "compared/", "how-it-may-work/", "method/"]
STUDIES = [f"trials/{name}/" for name in tables().studies]
PICTURES = [
    f"pictures/{name}-{width}-{look}.svg"
    for name in ("of-100", "how-long", "harms", "compared")
    for width in (328, 620)
    for look in ("light", "dark")
]
MARK = "from memory, not yet checked"


def page(browser: Client, path: str) -> str:
    """The page as sent, entities undone."""
    found = browser.get(HERE + path)
    assert found.status_code == 200
    return unescape(found.content.decode())


def anchors(html: str) -> list[str]:
    """Every id on the page."""
    return re.findall(r'\sid="([^"]+)"', html)


def row_of(html: str, anchor: str) -> str:
    """The table row with this anchor."""
    found = re.search(rf'<tr role="row" id="{re.escape(anchor)}">.*?</tr>', html, re.DOTALL)
    assert found, anchor
    return found[0]


# Any page


@pytest.mark.parametrize("path", [*NAMES, *STUDIES])
def test_a_stranger_may_read_the_page(bo: Client, path: str) -> None:
    html = page(bo, path)

    assert "Call or text 988" in html
    assert "Leave site" in html
    assert f"Data version {tables().version}, " in html
    assert len(anchors(html)) == len(set(anchors(html)))


@pytest.mark.parametrize("path", NAMES)
def test_a_page_opens_before_the_clinic_is_set_up(db: None, path: str) -> None:
    assert Client().get(HERE + path).status_code == 200


@pytest.mark.parametrize("path", [*NAMES, STUDIES[0], PICTURES[0], "trials/forest-328-light.svg"])
def test_pages_are_for_reading_only(bo: Client, path: str) -> None:
    assert bo.post(HERE + path).status_code == 405
    assert bo.head(HERE + path).status_code == 200


@pytest.mark.parametrize("path", [*NAMES, STUDIES[0]])
def test_a_page_asks_no_other_host_and_holds_no_style(bo: Client, path: str) -> None:
    html = page(bo, path)

    assert not re.search(
        r'<(?:script|img|link|iframe|source)[^>]*(?:src|href|srcset)="(?!/(?:static|what-is-known)/)', html
    )
    assert not re.search(r"<[^>]* (?:style|on\w+)=", html)
    assert set(re.findall(r'<a href="https?://[^>]*>', html)) == set(
        re.findall(r'<a href="https?://[^>]*rel="noreferrer"[^>]*>', html)
    )


def test_every_link_on_every_page_leads_to_a_page_and_an_anchor_there(bo: Client) -> None:
    pages = {HERE + path: page(bo, path) for path in [*NAMES, *STUDIES]}
    pages["/"] = unescape(bo.get("/").content.decode())

    broken = set()
    for here, html in pages.items():
        for address in re.findall(r'href="(/what-is-known/[^"]*)"', html):
            there, _, anchor = address.partition("#")
            if there in pages:
                is_there = not anchor or anchor in anchors(pages[there])
            else:
                is_there = bo.get(there).status_code == 200
            if not is_there:
                broken.add((here, address))
    assert broken == set()


@pytest.mark.parametrize("name", sorted(plain.all_statements()))
def test_every_row_behind_a_sentence_can_be_opened(bo: Client, name: str) -> None:
    (said,) = statements(name)

    assert said.links
    for link in said.links:
        there, _, anchor = link.url.partition("#")
        assert anchor in anchors(unescape(bo.get(there).content.decode()))


# In plain words


@pytest.mark.parametrize("path", ["/", HERE])
def test_an_eleven_year_old_can_read_it(bo: Client, path: str) -> None:
    words = words_of(bo.get(path).content.decode())

    assert grade(words) <= 6, words


def test_the_short_answer_comes_first_and_what_nobody_knows_has_its_place(bo: Client) -> None:
    html = page(bo, "")

    order = [plain.all_statements()[name].text for name in ("short-answer", "largest-trial", "day-one", "no-contest")]
    places = [html.index(words) for words in order]
    assert places == sorted(places)
    assert "What we do not know" in html
    assert "This is one small trial with 30 people." in html


def test_the_same_numbers_stand_beside_the_picture(bo: Client) -> None:
    html = page(bo, "")

    assert "67 of 100 with ketamine, 20 of 100 with midazolam" in html
    assert "10 of 15" in html
    assert "3 of 15" in html


WHAT = r"(?:it|ketamine|esketamine|therapy|sertraline|paroxetine|drugs?|medicines?|treatment)"
HAND_MADE = re.compile(
    rf"\b{WHAT} (?:works?|worked|helps|helped|is safe)\b(?! (?:for|until)\b)|\d\s*(?:%|percent|of 100|in 10)|"
    r"\beffective|trials? (?:found|did|show)|studies (?:found|show)|proven|better than (?!the middle)|no gain|"
    r"side effects?|weak evidence|(?:small|large)(?:er|est)? trial",
    re.IGNORECASE,
)
WRITTEN = [
    (folder, file.name)
    for folder in ("public", "evidence", "brief", "inbox")
    for file in resources.files("reprieve.web").joinpath(f"templates/{folder}").iterdir()
    if file.name.endswith(".html")
]


@pytest.mark.parametrize(("folder", "name"), WRITTEN)
def test_no_template_says_by_hand_what_was_found(folder: str, name: str) -> None:
    text = resources.files("reprieve.web").joinpath(f"templates/{folder}/{name}").read_text(encoding="utf-8")
    words = re.sub(r"{[{%#].*?[%}#]}|<[^>]*>", " ", text)

    assert [match[0] for match in HAND_MADE.finditer(words)] == []


def test_the_guard_would_notice() -> None:
    for sentence in (
        "A small trial found help",
        "67% got better",
        "Ketamine works",
        "It is safe",
        "The largest trial did not",
    ):
        assert HAND_MADE.search(sentence)


# Claims


def test_every_claim_stands_with_verdict_figure_and_day(bo: Client) -> None:
    html = page(bo, "claims/")

    for judgement in judged():
        claim = judgement.claim
        start = html.index(f'id="{claim.id}"')
        section = html[start : html.index("</section>", start)]
        for words in (claim.claim, claim.verdict.capitalize(), claim.reasoning, f"How sure: {claim.confidence}"):
            assert words in section
        for cite in (*judgement.supporting, *judgement.opposing):
            assert cite.name in section
        for figure in judgement.figures:
            assert figure.text in section
        assert f"{claim.judged_on:%B %Y}" in section


# The trials under a question


@pytest.mark.parametrize(
    "query", ["", "?window=end", "?outcome=response&window=end", "?treatment=sertraline&window=end"]
)
def test_every_study_stands_exactly_once(bo: Client, query: str) -> None:
    html = page(bo, f"trials/{query}")
    asked = dict(part.split("=") for part in query[1:].split("&") if part)

    tables_part = html[html.index("<h2>Every study</h2>") : html.index('id="more"')]
    linked = re.findall(rf'<th[^>]*><div><a href="{HERE}trials/([\w-]+)/"', tables_part)
    assert sorted(linked) == sorted(entry.study.id for entry in answer(Question(**asked)).entries)
    for entry in answer(Question(**asked)).entries:
        assert entry.why[1:] in tables_part


@pytest.mark.parametrize("window", WINDOWS)
def test_each_time_gives_its_own_answer(bo: Client, window: str) -> None:
    found = answer(Question(window=window))
    html = page(bo, f"trials/?window={window}")

    assert plain.together(found, "")[0]["text"].partition(": ")[2] in html
    for entry in found.used("pooled"):
        assert entry.effect
        assert f"{entry.effect.estimate:.2f} (" in html


@pytest.mark.parametrize(
    "query",
    [
        "window=end",
        "comparator=active",
        "people=veterans",
        "window=end&one-centre=without",
        "directions=without",
        "window=end&outcome=depression",
    ],
)  # fmt: skip
def test_a_toggle_changes_the_answer_and_the_picture(bo: Client, query: str) -> None:
    usual, other = page(bo, "trials/"), page(bo, f"trials/?{query}")

    assert usual != other
    assert f"forest-328-light.svg?{query}" in other
    assert (
        bo.get(f"{HERE}trials/forest-328-light.svg?{query}").content
        != bo.get(f"{HERE}trials/forest-328-light.svg").content
    )


@pytest.mark.parametrize(
    "query", ["window=soon", "colour=red", "window=24h&window=end", "treatment=aspirin", "recalled=maybe"]
)
def test_what_is_no_question_is_not_found(bo: Client, query: str) -> None:
    assert bo.get(f"{HERE}trials/?{query}").status_code == 404
    assert bo.get(f"{HERE}trials/forest-328-light.svg?{query}").status_code == 404


def test_the_current_choice_is_marked_and_the_others_are_links(bo: Client) -> None:
    html = page(bo, "trials/?window=end&people=veterans")

    current = re.findall(r'<a href="([^"]*)" aria-current="true">([^<]*)</a>', html)
    assert "End of a course" in [words for _, words in current]
    assert "Veterans and soldiers" in [words for _, words in current]
    assert len(current) == 8
    assert '<a href="?people=veterans">After a day</a>' in html


def test_a_pill_is_asked_about_at_the_end_of_its_course(bo: Client) -> None:
    assert '<a href="?window=end&treatment=sertraline">Sertraline</a>' in page(bo, "trials/")


def test_figures_from_memory_are_announced_when_they_are_counted(bo: Client) -> None:
    asked = Question(treatment="venlafaxine", outcome="remission", window="end", include_recalled=True)
    query = "treatment=venlafaxine&outcome=remission&window=end"

    assert answer(asked).recalled
    assert "Some figures here come from memory" in page(bo, f"trials/?{query}&recalled=with")
    assert "Some figures here come from memory" not in page(bo, f"trials/?{query}")


def test_the_other_group_stands_beside_with_its_sign_turned(bo: Client) -> None:
    html = page(bo, "trials/")

    assert "Borgogna 2024" in html
    assert "0.35 (0.06 to 0.64)" in html
    assert "negative favours" not in html


# One study, and rows from memory


@pytest.mark.parametrize("study_id", tables().studies)
def test_every_row_of_a_study_stands_on_its_page_with_its_caveat_if_any(bo: Client, study_id: str) -> None:
    html = page(bo, f"trials/{study_id}/")

    for row in (*tables().outcomes_of(study_id), *tables().harms_of(study_id)):
        shown = row_of(html, row.id)
        from_memory = row.source.provenance == "recalled" or bool(row.recalled_columns)
        assert (MARK in shown) == from_memory
        assert not row.source.url or row.source.url in shown
    for arm in tables().arms_of(study_id):
        from_memory = arm.source.provenance == "recalled" or bool(arm.recalled_columns)
        assert (MARK in row_of(html, f"arm-{arm.id}")) == from_memory


def test_guidelines_and_findings_from_memory_are_marked_and_the_others_not(bo: Client) -> None:
    for path, rows in (("guidelines/", tables().guidelines), ("how-it-may-work/", tables().findings)):
        html = page(bo, path)
        for row in rows.values():
            assert (MARK in row_of(html, row.id)) == (row.source.provenance == "recalled")


def test_an_unknown_study_is_not_found(bo: Client) -> None:
    assert bo.get(f"{HERE}trials/nobody1999/").status_code == 404


# Harms, pairs, account


def test_figures_from_other_people_say_so(bo: Client) -> None:
    html = page(bo, "harms/")

    assert "seen in other people: treatment-resistant depression" in html
    assert "What nobody has counted" in html
    assert "With ketamine, in people with PTSD: 29 of 137 in four groups" in html
    assert "21 of 222 people (number of people from memory, not yet checked), 9%" in html


def test_a_harm_known_from_memory_alone_says_no_more_than_that(bo: Client) -> None:
    html = page(bo, "harms/")
    start = html.index("<h3>Had blurred sight</h3>")

    section = html[start : html.index("<h3>", start + 1)]
    assert "In people with PTSD we have figures from memory only." in section
    assert section.count(MARK) == 2


def test_there_is_no_list_of_best_and_worst(bo: Client) -> None:
    html = page(bo, "compared/")

    assert "Why there is no list of best and worst" in html
    assert "No trial put ketamine beside a first-line treatment" in html
    assert "held against: midazolam" in html


def test_each_step_of_the_account_names_findings_in_people_and_in_animals(bo: Client) -> None:
    html = page(bo, "how-it-may-work/")

    for claim_id in ("c01", "c04", "c05", "c06", "c07", "c08", "c09"):
        assert tables().claims[claim_id].claim in html
    assert "Seen in people" in html
    assert "Seen in animals" in html


# Pictures


@pytest.mark.parametrize("path", [*PICTURES, "trials/forest-620-dark.svg?window=end"])
def test_a_picture_is_plain_svg_that_may_be_kept(bo: Client, path: str) -> None:
    found = bo.get(HERE + path)

    assert found.headers["Content-Type"] == "image/svg+xml"
    assert found.headers["Cache-Control"] == "public, max-age=3600"
    assert found.content.startswith(b"<svg")
    assert b"<script" not in found.content
    assert b"<style" not in found.content


@pytest.mark.parametrize(
    "path",
    [
        "pictures/harms-999-light.svg",
        "pictures/harms-328-loud.svg",
        "pictures/nothing-328-light.svg",
        "trials/forest-1-light.svg",
    ],
)
def test_no_other_picture_is_drawn(bo: Client, path: str) -> None:
    assert bo.get(HERE + path).status_code == 404
