"""Rows of the evidence as pages show them: each with its address here, its caveat, and where it was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.urls import reverse

from reprieve.evidence.plain import Cite
from reprieve.evidence.rows import Claim, Finding, Guideline, Harm, Outcome, Percent, Study
from reprieve.evidence.tables import tables
from reprieve.sources import Source

NOT_SEEN = "not seen"
FROM_MEMORY = "from memory, not yet checked"
KINDS = {
    "mean": "average score",
    "change": "average change",
    "responders": "people much better",
    "remitters": "people with few signs left",
    "durable_responders": "people better throughout",
    "completers": "people who finished",
    "positive_screen": "people with a positive screen",
    "responder_percent": "share much better",
    "remitter_percent": "share with few signs left",
    "mean_difference": "difference of averages",
    "smd": "standardised difference",
    "cohen_d": "standardised difference (d)",
    "hedges_g": "standardised difference (g)",
    "smd_network": "standardised difference, network",
    "smd_single_comparison": "standardised difference, one comparison",
    "smd_threshold": "standardised difference, a range",
    "posterior_mean_difference": "difference of averages, Bayesian",
    "median_days_to_loss_of_response": "median days until the gain was lost",
    "median_days_to_relapse": "median days until relapse",
    "mean_days_to_relapse": "average days until relapse",
}
VERDICT_TAGS = {"supported": "", "contradicted": "danger"}
PERCENT = ("responder_percent", "remitter_percent")
COLUMNS = {
    "n": "number of people",
    "n_total": "number of people",
    "doi": "DOI",
    "ci_low": "lower end of the interval",
    "ci_high": "upper end of the interval",
    "first_author": "first author",
}


@dataclass(frozen=True, slots=True)
class Link:
    """Where a row can be opened. ``spoken`` is its name to the ear where ``name`` alone would not do."""

    name: str
    url: str
    mark: str = ""
    spoken: str = ""
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: words, a tag, links, a caveat. ``tag`` is the tag's kind, None for plain words."""

    text: str = ""
    links: tuple[Link, ...] = ()
    mark: str = ""
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: pairs of column name and cell, the first one its head. ``id`` is its anchor."""

    cells: tuple[tuple[str, Cell], ...]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows become labelled blocks on a phone."""

    caption: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]


def table(caption: str, heads: Sequence[str], rows: Iterable[tuple[str, Sequence[Cell | str]]]) -> Table:
    """A table from rows of an anchor (or empty) and cells."""
    lines = (
        Line(tuple(zip(heads, (Cell(c) if isinstance(c, str) else c for c in cells), strict=True)), anchor)
        for anchor, cells in rows
    )
    return Table(caption, tuple(heads), tuple(lines))


# Where a row stands


def study_url(study_id: str, row_id: str = "") -> str:
    """The page of a study, at one of its rows."""
    return reverse("study", args=[study_id]) + (f"#{row_id}" if row_id else "")


def row_url(row_id: str, study_id: str = "") -> str:
    """The page on which a row of any table can be opened."""
    known = tables()
    if study_id or row_id in known.studies:
        return study_url(study_id or row_id, row_id)
    return finding_url(row_id) if row_id in known.findings else f"{reverse('guidelines')}#{row_id}"


def finding_url(finding_id: str) -> str:
    """Where a finding about the brain stands."""
    return f"{reverse('how-it-may-work')}#{finding_id}"


def verdict_tag(claim: Claim) -> str:
    """The kind of tag that a claim's verdict stands in."""
    return VERDICT_TAGS.get(claim.verdict, "caution")


def in_animals(finding: Finding) -> bool:
    """Whether it was seen in animals and not in people."""
    return not finding.in_people and any(animal in finding.species for animal in ("rat", "mouse", "rodent", "monkey"))


def finding_link(finding: Finding) -> Link:
    """A finding by author and year."""
    return Link(finding.source.name, finding_url(finding.id), finding.source.mark)


def links_to(cites: Sequence[Cite]) -> tuple[Link, ...]:
    """A link for each row: the first of a study by its name, the others by their number."""
    counted: dict[str, int] = {}
    links = []
    for cite in cites:
        number = counted[cite.name] = counted.get(cite.name, 0) + 1
        url = row_url(cite.row_id, cite.study_id)
        if number == 1:
            links.append(Link(cite.name, url, cite.mark))
        else:
            links.append(Link(str(number), url, cite.mark, f"{cite.name}, row {number}"))
    return tuple(links)


def study_link(study: Study, row_id: str = "") -> Link:
    """A study by author and year."""
    return Link(study.name, study_url(study.id, row_id), study.source.mark)


def source_cell(source: Source, recalled: Sequence[str] = (), row_id: str = "") -> Cell:
    """The row's id and where it was read, by the name of the site; the caveat where it was not, or not all of it."""
    links = (Link(urlsplit(source.url).netloc, source.url, outside=True),) if source.url else ()
    words = ", ".join(COLUMNS.get(column, column.replace("_", " ")) for column in recalled)
    mark = source.mark or (f"{words}: {FROM_MEMORY}" if words else "")
    return Cell(f"{row_id}:" if row_id and links else row_id, links, mark)


def doi_link(doi: str) -> Link | None:
    """The address of an article by its DOI."""
    return Link(doi, f"https://doi.org/{doi}", outside=True) if doi.startswith("10.") else None


def registry_link(registry_id: str) -> Link | None:
    """The address of a trial in the register that its number belongs to."""
    if registry_id.startswith("NCT"):
        return Link(registry_id, f"https://clinicaltrials.gov/study/{registry_id}", outside=True)
    return None


# How figures are said


def number(value: float) -> str:
    """A figure as the tables have it.

    >>> number(-12.7), number(30.0)
    ('-12.7', '30')
    """
    return f"{value:g}"


def arm_name(arm_id: str) -> str:
    """A group by its name in the tables.

    >>> arm_name("ketamine_low")
    'ketamine low'
    """
    return arm_id.replace("_", " ")


def share(found: Percent | None) -> str:
    """A percentage in whole numbers where that loses nothing.

    >>> share(Percent(28.32, 28.32)), share(Percent(8.0, 19.0)), share(Percent(0.3, 0.3)), share(Percent(0, 5))
    ('28%', '8% to 19%', '0.3%', 'less than 5%')
    """
    if found is None:
        return NOT_SEEN
    if found.low == 0 < found.high:
        return f"less than {found.high:g}%"
    low, high = (f"{end:.0f}" if end >= 1 or end == 0 else f"{end:.1g}" for end in (found.low, found.high))
    return f"{low}%" if found.low == found.high else f"{low}% to {high}%"


def harm_count(harm: Harm) -> str:
    """People it happened to, of how many; with the share when that is all there is."""
    if harm.events is not None and harm.n:
        mark = f" (number of people {FROM_MEMORY})" if "n_total" in harm.recalled_columns else ""
        return f"{harm.events} of {harm.n} people{mark}, {share(harm.share)}"
    if harm.percent:
        return f"{share(harm.percent)}{f' of {harm.n} people' if harm.n else ''}"
    return "no rate seen"


def compared(row: Outcome) -> str:
    """Which group, or which two."""
    return f"{arm_name(row.arm_a)} against {arm_name(row.arm_b)}" if row.arm_a else arm_name(row.arm_id)


def result(row: Outcome) -> str:
    """A result with all that the row tells of it."""
    parts = []
    if row.events is not None and row.n:
        parts.append(f"{row.events} of {row.n}")
    if row.value is not None:
        parts.append(f"{number(row.value)}{'%' if row.kind in PERCENT else ''}")
    if row.ci_low is not None and row.ci_high is not None:
        parts.append(f"from {number(row.ci_low)} to {number(row.ci_high)}")
    parts += [
        f"{name} {number(value)}" for name, value in (("SD", row.sd), ("standard error", row.se)) if value is not None
    ]
    if row.p:
        parts.append(f"p {row.p}" if row.p.is_bound else f"p = {row.p}")
    if row.direction:
        favoured = {"favours_a": arm_name(row.arm_a), "favours_b": arm_name(row.arm_b)}.get(row.direction)
        parts.append(f"in favour of {favoured}" if favoured else "not significant")
    if row.n and row.events is None:
        parts.append(f"{row.n} people")
    if row.n_a is not None and row.n_b is not None:
        parts.append(f"{number(row.n_a)} and {number(row.n_b)} people")
    if row.k_studies:
        parts.append(f"{row.k_studies} trial{'' if row.k_studies == 1 else 's'}")
    return ", ".join(parts) or NOT_SEEN


def kind_of(row: Outcome) -> str:
    """What a result row gives, in words."""
    return KINDS.get(row.kind, row.kind.replace("_", " "))


def guideline_mark(row: Guideline) -> str:
    """The caveat of a guideline's row."""
    return row.source.mark or ("seen on another site, to be confirmed" if "secondary" in row.note else "")
