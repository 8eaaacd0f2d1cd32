"""Countries and their regions, by ISO 3166 code, as people call them."""

from __future__ import annotations

from typing import Any

import pycountry

UK_NATIONS = ("GB-ENG", "GB-NIR", "GB-SCT", "GB-WLS")
WITH_AN_ARTICLE = {"US", "GB", "NL", "PH", "AE", "DO", "CF", "BS", "GM", "MV", "SB", "MH", "KM", "SC"}
COUNTRIES_WITH_REGIONS = ("US", "CA", "AU", "GB")


def country_choices(first: str) -> list[tuple[str, str]]:
    """Code and name of every country for a select box, ``first`` on top."""
    names = {country.alpha_2: getattr(country, "common_name", country.name) for country in pycountry.countries}
    rest = sorted((code for code in names if code != first), key=lambda code: names[code])
    return [("", "Choose a country"), *((code, names[code]) for code in (first, *rest) if code in names)]


def country_name(code: str) -> str:
    """A country as people call it.

    >>> country_name("US")
    'United States'
    """
    country = pycountry.countries.get(alpha_2=code)
    return str(getattr(country, "common_name", country.name)) if country else code


def country_in_words(code: str) -> str:
    """A country inside a sentence.

    >>> country_in_words("GB"), country_in_words("CA")
    ('the United Kingdom', 'Canada')
    """
    name = country_name(code)
    return f"the {name}" if code in WITH_AN_ARTICLE else name


def region_name(code: str) -> str:
    """A state, province or nation, from its ISO code such as ``US-CT``."""
    region = pycountry.subdivisions.get(code=code)  # type: ignore[no-untyped-call]
    return str(region.name) if region else code


def _regions_of(country: str) -> list[tuple[str, str]]:
    found = pycountry.subdivisions.get(country_code=country) or []  # type: ignore[no-untyped-call]
    pairs = [(region.code, region.name) for region in found if country != "GB" or region.code in UK_NATIONS]
    return sorted(pairs, key=lambda pair: pair[1])


REGIONS: dict[str, list[tuple[str, str]]] = {country: _regions_of(country) for country in COUNTRIES_WITH_REGIONS}


def region_choices(first: str) -> list[tuple[str, Any]]:
    """Regions for a select box, grouped by country, those of ``first`` on top."""
    order = sorted(REGIONS, key=lambda country: country != first)
    return [("", "Choose a state or region"), *((country_name(country), REGIONS[country]) for country in order)]
