"""Tables of the clinic's results as its page shows them, each figure with its denominator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from urllib.parse import urlencode

from reprieve.evidence.harms import KETAMINE, Seen, harms_of
from reprieve.evidence.plain import Cite
from reprieve.evidence.tables import tables
from reprieve.treatment import outcome_plot
from reprieve.treatment.adverse import terms
from reprieve.treatment.outcome import judged_instruments, rule
from reprieve.treatment.results import Count, Minutes, Share, Summary, published, published_median
from reprieve.web import evidence_words as words
from reprieve.web.evidence_words import Cell, Link, Table, table
from reprieve.web.models import Course
from reprieve.web.results import Period
from reprieve.web.times import span

MOMENTS = {"end": "when the course ends", "week-4": "4 weeks after it"}
RULES = ("response", "loss_of_response")


@dataclass(frozen=True, slots=True)
class Loss:
    """How long responses on one instrument lasted: the sentence, the table, and what its picture is asked for by."""

    instrument: str
    slug: str
    n: int
    sentence: str
    query: str
    table: Table


def slug(instrument: str) -> str:
    """An instrument's name in an address.

    >>> slug("PCL-5")
    'pcl-5'
    """
    return instrument.lower()


def _count(summary: Summary, name: str) -> Count:
    return next(count for count in summary.counts if count.id == name)


def before(summary: Summary, contact: Share, still_open: int) -> Table:
    """First calls, and how long people had to think."""
    kept = _count(summary, "contact-kept")
    rows = [
        ("", ("First call made in time, of all who asked", contact.words, f"{still_open} not due yet")),
        ("", ("First call made in time, of those who began a course", kept.share.words, f"{kept.unknown} not known")),
        ("", ("Time from the first consultation to the signature", _waited(summary.consent),
              f"{summary.consent.unknown} not known, or a later course of the same person")),
    ]  # fmt: skip
    return table("Before the course", ("What", "Counted", "Not counted"), rows)


def _waited(found: Minutes) -> str:
    if found.median is None or found.quartiles is None:
        return "nothing to count yet"
    middle, low, high = (span(timedelta(minutes=each)) for each in (found.median, *found.quartiles))
    return f"median {middle}, the middle half from {low} to {high}, {found.n} people"


def sessions(summary: Summary) -> Table:
    """Sessions given, missed, stopped early."""
    found = [_count(summary, name) for name in ("given", "missed", "stopped-early")]
    return table("Sessions", ("What", "Counted"), (("", (count.words, count.share.words)) for count in found))


def endings(summary: Summary) -> Table:
    """Why courses ended."""
    labels = dict(Course.Ending.choices)
    rows = []
    for count in summary.counts:
        kind, _, code = count.id.partition("ending-")
        if not kind:
            rows.append(("", (labels.get(code, code), count.share.words)))
    return table("Why courses ended", ("Why", "Courses"), rows)


def responses(summary: Summary) -> Table:
    """Responders at each moment, with those who were not measured shown three ways."""
    rows = [
        ("", (
            f"{found.rule.instrument}, {MOMENTS[found.moment]}",
            found.of_measured.words,
            found.if_none.words,
            found.if_all.words,
            str(found.missing),
            str(found.undecided),
        ))
        for found in summary.responses
    ]  # fmt: skip
    heads = ("Measured with", "Of those measured", "If no other had", "If all others had", "Not measured", "Left open")
    return table("Response", heads, rows)


def rules() -> Table:
    """What counts as a response and as its loss, and who says so."""
    found = [rule(instrument, kind) for instrument in judged_instruments() for kind in RULES]
    rows = [
        ("", (
            f"{each.kind.replace('_', ' ').capitalize()}, {each.instrument}",
            f"{each.words}: {each.figure}",
            Cell(each.source.name, _outside(each.source.url), each.source.mark),
        ))
        for each in found
    ]  # fmt: skip
    return table("Rules", ("What", "Rule", "Source"), rows)


def _outside(url: str) -> tuple[Link, ...]:
    return (Link("source", url, outside=True),) if url else ()


def losses(summary: Summary, period: Period) -> Iterator[Loss]:
    """Each instrument's curve in words and numbers."""
    chosen = {"from_on": period.from_on, "until_on": period.until_on}
    query = urlencode({name: day.isoformat() for name, day in chosen.items() if day})
    for instrument, curve in summary.losses.items():
        rows = (
            ("", (f"{day:g}", str(at_risk), str(lost), kept, interval))
            for day, at_risk, lost, kept, interval in outcome_plot.survival_rows(curve)
        )
        heads = ("Day", "Still followed", "Lost it that day", "Kept it so far", "95 % interval")
        yield Loss(
            instrument,
            slug(instrument),
            curve.n,
            outcome_plot.survival_finding(curve, published_median(instrument)),
            f"?{query}" if query else "",
            table(f"How long the response lasted, {instrument}", heads, rows),
        )


def harms(summary: Summary) -> tuple[Table, Table]:
    """Adverse events of sessions: people, sessions, what studies counted of the same; then those that nobody had."""
    counted = _counted_in_studies()
    had = [each for each in summary.harms if each.people.events]
    never = [each for each in summary.harms if not each.people.events]
    heads = ("Harm", "People", "Sessions", "In studies")
    seen, unseen = (
        table(caption, heads, (
            ("", (each.words, each.people.words, each.sessions.words, _in_studies(counted.get(_harm(each.code), ()))))
            for each in found
        ))
        for caption, found in (("Harms", had), ("Harms that nobody had", never))
    )  # fmt: skip
    return seen, unseen


@cache
def _counted_in_studies() -> dict[str, list[Seen]]:
    """Rows with a share by the name of the harm."""
    counted: dict[str, list[Seen]] = {}
    for found in harms_of(KETAMINE, include_recalled=True):
        counted.setdefault(found.name, []).extend(row for row in found.rows if row.share)
    return counted


def _harm(code: str) -> str:
    return terms()[code].harm if code in terms() else ""


def _in_studies(found: Iterable[Seen]) -> Cell:
    rows = list(found)
    if not rows:
        return Cell("not counted by itself")
    said = [
        f"{words.harm_count(row.harm)} with {row.treatment}{'' if row.harm.in_ptsd else ', in people without PTSD'}"
        for row in rows
    ]
    cites = [Cite(row.study.name, row.harm.id, row.study.id, row.harm.source.mark) for row in rows]
    return Cell(f"{'; '.join(said)}:", words.links_to(cites))


def trials() -> Table:
    """Published results in the same terms."""
    rows = [
        ("", (
            Cell(links=(words.study_link(tables().studies[each.row.study_id], each.row.id),),
                 mark=each.row.source.mark),
            each.treatment,
            each.instrument,
            each.words[0].upper() + each.words[1:],
        ))
        for each in published()
    ]  # fmt: skip
    return table("Published studies", ("Study", "Given", "Measured with", "Found"), rows)
