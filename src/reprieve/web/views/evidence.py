"""What is known, for anybody: every figure on these pages is computed from a row that can be opened here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from inspect import signature
from typing import Any

import altair as alt
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reprieve.charts import LOOKS, svg
from reprieve.evidence import plain, plot
from reprieve.evidence.answer import answer
from reprieve.evidence.censored import posterior
from reprieve.evidence.claims import judged
from reprieve.evidence.durability import durability
from reprieve.evidence.harms import KETAMINE, harms_of, unknown_harms
from reprieve.evidence.network import FAMILIES, network
from reprieve.evidence.question import WINDOWS, Question
from reprieve.evidence.tables import tables
from reprieve.pharmacology import pictures
from reprieve.pharmacology.made_up import Settings, made_up
from reprieve.pharmacology.panels import PANELS, panel
from reprieve.web import chain
from reprieve.web import evidence_tables as shown
from reprieve.web import evidence_words as words
from reprieve.web.evidence_question import TREATMENTS, USUAL, in_words, query_of, question_of, toggles
from reprieve.web.public_words import statements

WIDTHS = (328, 620)
KEEP_PICTURES = "public, max-age=3600"
FIRST_LINE_DRUGS = TREATMENTS[1:]


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, f"evidence/{name}.html", {"release": tables().releases[-1], **context})


@require_safe
def what_is_known(request: HttpRequest) -> HttpResponse:
    """The short answer first, then how many, how soon, for how long, at what price, and what nobody knows."""
    context = {
        "short": statements("short-answer"),
        "first": statements("off-label", "largest-trial", "small-trial"),
        **shown.counted_words(),
        "all_trials": statements("not-yet", "pooled"),
        "time": statements("day-one", "end-of-course", "four-weeks-after", "fades"),
        "how_long": durability().headline(),
        "course_table": shown.course(),
        "harms": statements(
            "feel-strange", "common-harms", "spray-numbers", "drop-out", "grave-harms", "no-driving", "at-home"
        ),
        **shown.harms_words(),
        "others": statements("therapy-works", "therapy-caution", "sertraline-works"),
        "guidelines": statements(
            "guideline-therapy", "guideline-sertraline", "guideline-venlafaxine", "guideline-ketamine"
        ),
        "unknown": statements("no-contest", "long-term", "uncounted", "pending"),
    }
    return _page(request, "what_is_known", context)


# Pictures


def _picture(drawn: str) -> HttpResponse:
    response = HttpResponse(drawn, content_type="image/svg+xml")
    response.headers["Cache-Control"] = KEEP_PICTURES
    return response


def _check_size(width: int, look: str) -> None:
    if width not in WIDTHS or look not in LOOKS:
        raise Http404


PICTURES: dict[str, Callable[[int, str], alt.TopLevelMixin]] = {
    "of-100": lambda width, look: plot.icons(
        [(f"much better with {given}", share) for given, share, _ in shown.counted_panels()], width, look
    ),
    "how-long": lambda width, look: plot.survival(durability(), width, look),
    "harms": lambda width, look: plot.harm_bars(shown.harms_pictured(), width, look),
    "compared": lambda width, look: plot.graph(network(), width, look),
}


@require_safe
def picture(request: HttpRequest, name: str, width: int, look: str) -> HttpResponse:
    """One of the pictures that need no question, drawn for one width and one look."""
    _check_size(width, look)
    if name not in PICTURES:
        raise Http404
    return _picture(_drawn(name, width, look))


@lru_cache(maxsize=len(PICTURES) * len(WIDTHS) * len(LOOKS))
def _drawn(name: str, width: int, look: str) -> str:
    return svg(PICTURES[name](width, look), LOOKS[look])


@require_safe
def forest(request: HttpRequest, width: int, look: str) -> HttpResponse:
    """The forest plot of the question in the address."""
    _check_size(width, look)
    return _picture(_forest(question_of(request.GET), width, look))


@lru_cache(maxsize=256)
def _forest(question: Question, width: int, look: str) -> str:
    return svg(plot.forest(answer(question), width, look), LOOKS[look])


# Claims, and the trials asked a question


@require_safe
def claims(request: HttpRequest) -> HttpResponse:
    """Each claim, judged: verdict, reasoning, for and against, the figure behind it."""
    found = [
        {
            "claim": judgement.claim,
            "tag": words.verdict_tag(judgement.claim),
            "supporting": words.links_to(judgement.supporting),
            "opposing": words.links_to(judgement.opposing),
            "figures": statements(*(figure.id for figure in judgement.figures)),
            "findings": [words.finding_link(finding) for finding in judgement.findings],
            "source": words.source_cell(judgement.claim.source),
        }
        for judgement in judged()
    ]
    return _page(request, "claims", {"claims": found})


@require_safe
def trials(request: HttpRequest) -> HttpResponse:
    """The trials asked a question: forest plot, what they say together, every study and how it is used."""
    question = question_of(request.GET)
    found = answer(question)
    when, *parts = toggles(question)
    said = WINDOWS[question.window].words
    context = {
        "question": in_words(question),
        "when": when,
        "toggles": parts,
        "open": replace(question, window=USUAL.window) != USUAL,
        "query": query_of(question),
        "headline": plot.headline(found),
        "alt": plot.alt_text(found),
        "together": plain.together(found, said[0].upper() + said[1:])[0]["text"],
        "together_table": shown.together(found),
        "forest_table": shown.forest(found),
        "how": shown.how_pooled(found),
        "used": shown.used(found),
        "not_used": shown.not_used(found),
        "treatment": question.treatment,
        "ratio": found.is_ratio,
        "counted": {use: len(found.used(use)) for use in shown.USES},
        "caution": found.recalled,
        "other": shown.by_others(question),
    }
    return _page(request, "trials", context)


@require_safe
def study(request: HttpRequest, study_id: str) -> HttpResponse:
    """All that the tables hold on one study, each row with its own address."""
    known = tables()
    if study_id not in known.studies:
        raise Http404
    found = known.studies[study_id]
    context = {
        "study": found,
        "facts": list(shown.facts(found)),
        "source": words.source_cell(found.source),
        "arms": shown.groups(known.arms_of(study_id)),
        "results": shown.results(known.outcomes_of(study_id)),
        "harms": shown.harm_rows(known.harms_of(study_id)),
        "cited_by": list(shown.cited_by(found)),
        "is_finding": study_id in known.findings,
    }
    return _page(request, "study", context)


# Harms, guidelines, who met whom, how it is thought to work, how the numbers are made


@require_safe
def harms(request: HttpRequest) -> HttpResponse:
    """Each harm: how often, in whom, pooled where people were counted; then what has no rate."""
    context = {
        "intro": statements("feel-strange", "drop-out", "grave-harms"),
        **shown.harms_words(),
        "ketamine": list(shown.harms(harms_of(KETAMINE, include_recalled=True))),
        "first_line": list(shown.harms(harms_of(FIRST_LINE_DRUGS, include_recalled=True))),
        "unknown": shown.uncounted(unknown_harms()),
    }
    return _page(request, "harms", context)


@require_safe
def guidelines(request: HttpRequest) -> HttpResponse:
    """Who says what, how strongly, by body and subject."""
    rows = tables().guidelines.values()
    bodies = dict.fromkeys(row.body for row in rows)
    context = {
        "said": statements(
            "guideline-therapy", "guideline-sertraline", "guideline-venlafaxine", "guideline-ketamine", "off-label"
        ),
        "bodies": [shown.positions(body, [row for row in rows if row.body == body]) for body in bodies],
    }
    return _page(request, "guidelines", context)


@require_safe
def compared(request: HttpRequest) -> HttpResponse:
    """Who was compared with whom, and why one list of best and worst would mislead."""
    known = network()
    context = {
        "headline": known.headline(),
        "pairs": shown.pairs(known),
        "fair": known.one_table_is_fair(),
        "controls": [(family, ", ".join(known.controls_of(names)) or "none") for family, names in FAMILIES.items()],
        "contest": statements("no-contest"),
    }
    return _page(request, "compared", context)


@require_safe
def how_it_may_work(request: HttpRequest) -> HttpResponse:
    """The account as a chain of links, each with its standing, its curves in a made-up person, and what was seen."""
    one = made_up(Settings.asked(request.GET))
    return _page(request, "how_it_may_work", {**chain.story(), **chain.under(one), **chain.outside()})


@require_safe
def link(request: HttpRequest, name: str, width: int, look: str) -> HttpResponse:
    """The chain, or what one of its links does under the settings in the address."""
    _check_size(width, look)
    if name == chain.WHOLE:
        return _picture(_chain(width, look))
    if name not in PANELS:
        raise Http404
    return _picture(_link(name, Settings.asked(request.GET), width, look))


@lru_cache(maxsize=len(WIDTHS) * len(LOOKS))
def _chain(width: int, look: str) -> str:
    return svg(pictures.chain(width, look), LOOKS[look])


@lru_cache(maxsize=512)
def _link(name: str, settings: Settings, width: int, look: str) -> str:
    return svg(pictures.chart(panel(name, made_up(settings)), width, look), LOOKS[look])


@require_safe
def method(request: HttpRequest) -> HttpResponse:
    """How the numbers are made, in one page."""
    known, prior = tables(), signature(posterior).parameters
    context = {
        "studies": len(known.studies),
        "results": len(known.outcomes),
        "usual": USUAL,
        "prior_sd": prior["prior_sd"].default,
        "tau_scale": prior["tau_scale"].default,
        "from_memory": words.FROM_MEMORY,
        "windows": shown.windows(),
        "comparators": shown.controls(),
        "measures": shown.instruments(),
        "releases": shown.releases(),
    }
    return _page(request, "method", context)
