"""Where help is right now, by country. A page that shows these lines is never empty."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reprieve.sources import Source, read_table

ANYWHERE, EUROPE = "XX", "EU"
EU_MEMBERS = frozenset("AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split())
OTHER_NAMES = {"UK": "GB", "EL": "GR"}
UK_NATIONS = {"SCT": "(Scotland)", "NIR": "(Northern Ireland)"}


@dataclass(frozen=True, slots=True)
class CrisisLine:
    """One help line: whom to reach, how, and when to show it."""

    country_code: str
    country: str
    service: str
    contact: str
    channel: str
    hours: str
    show_rule: str
    source: Source

    @property
    def number(self) -> str:
        """The number to dial, digits only; empty when the line is not for calls.

        >>> first_line("US").number, first_line("GB").number
        ('988', '116123')
        """
        if "call" not in self.channel:
            return ""
        first = re.match(r"[+\d][\d -]*\d|\d+", self.contact)
        return re.sub(r"[^+\d]", "", first[0]) if first else ""

    @property
    def text(self) -> str:
        """What to do, in words.

        >>> [line.text for line in lines_for("US")][:2], first_line(None).text
        (['call or text 988', 'call 988 then press 1'], 'find a help line near you')
        """
        if "call" in self.channel:
            only_a_number = re.fullmatch(r"[+\d -]+", self.contact)
            return (
                f"call or text {self.contact}" if only_a_number and "text" in self.channel else f"call {self.contact}"
            )
        if self.channel == "web":
            return "find a help line near you"
        return self.contact if self.contact.startswith("text") else f"text {self.contact}"

    @property
    def tel_href(self) -> str:
        """Where the words lead: a call, a text message, or the service's own page."""
        if self.number:
            return f"tel:{self.number}"
        if self.channel == "web":
            return f"https://{self.contact}/"
        return "sms:" + re.sub(r"\D", "", self.contact)

    @property
    def mark(self) -> str:
        """A caveat to show beside the line, or nothing."""
        return self.source.mark

    @property
    def is_emergency(self) -> bool:
        return self.show_rule.startswith("Imminent danger")

    @property
    def is_for_veterans(self) -> bool:
        return "eteran" in self.service

    @property
    def is_for_danger_at_home(self) -> bool:
        return self.show_rule.startswith("Danger from another person")

    @property
    def is_for_substance_use(self) -> bool:
        return self.show_rule.startswith("Substance use")

    @property
    def is_for_sexual_violence(self) -> bool:
        return self.show_rule.startswith("Sexual violence")


CRISIS_LINES: tuple[CrisisLine, ...] = tuple(
    CrisisLine(
        country_code=row["country_code"],
        country=row["country"],
        service=row["service"],
        contact=row["contact"],
        channel=row["channel"],
        hours=row["hours"],
        show_rule=row["form_show_rule"],
        source=Source(row["service"], row["source_url"], row["provenance"]),
    )
    for row in read_table(__package__, "crisis.csv")
)
COUNTRIES: dict[str, tuple[CrisisLine, ...]] = {
    code: tuple(line for line in CRISIS_LINES if line.country_code == code)
    for code in dict.fromkeys(line.country_code for line in CRISIS_LINES)
}


def _of_country(country: str) -> tuple[CrisisLine, ...]:
    country = OTHER_NAMES.get(country, country)
    if country in COUNTRIES:
        return COUNTRIES[country]
    return COUNTRIES[EUROPE if country in EU_MEMBERS else ANYWHERE]


def _is_elsewhere(line: CrisisLine, region: str) -> bool:
    if line.country_code != "GB" or not region:
        return False
    nation = UK_NATIONS.get(region, "(England and Wales)")
    places = (*UK_NATIONS.values(), "(England and Wales)")
    return any(place in line.service for place in places) and nation not in line.service


def lines_for(
    country_region: str | None,
    veteran: bool = False,
    danger: bool = False,
    substance_use: bool = False,
    sexual_violence: bool = False,
) -> tuple[CrisisLine, ...]:
    """Help lines for a place, the fitting one first. Never empty: an unknown place gets the world-wide directory.

    Parameters
    ----------
    country_region : as in the form, ``US-CT`` or ``GB``; None or anything unknown falls back
    veteran, danger, substance_use, sexual_violence : what the person told us

    Examples
    --------
    >>> [line.contact for line in lines_for("US-CT", veteran=True)][:2]
    ['988 then press 1', '838255']
    >>> [line.contact for line in lines_for("PT")]
    ['112', '116 123']
    >>> [line.contact for line in lines_for(None)]
    ['findahelpline.com']
    """
    country, _, region = (country_region or ANYWHERE).strip().upper().partition("-")
    lines = [line for line in _of_country(country) if not _is_elsewhere(line, region)]
    shown = [
        line
        for line in lines
        if (veteran or not (line.is_for_veterans and line.show_rule == "Veteran ticked"))
        and (danger or not line.is_for_danger_at_home)
        and (substance_use or not line.is_for_substance_use)
        and (sexual_violence or not line.is_for_sexual_violence)
    ]
    return tuple(
        sorted(
            shown,
            key=lambda line: (
                not (danger and line.is_emergency),
                not (danger and line.is_for_danger_at_home),
                not (veteran and line.is_for_veterans),
                not (sexual_violence and line.is_for_sexual_violence),
            ),
        )
    )


def first_line(country_region: str | None) -> CrisisLine:
    """The one line that stands on top of every page."""
    return lines_for(country_region)[0]
