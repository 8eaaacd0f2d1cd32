"""Amounts of the drug log in templates, and what became of the drug in one session."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template

from reprieve.web.models import Lot, StockEntry, TreatmentSession

register = template.Library()


@register.filter
def amount(lot: Lot, ml: Decimal) -> str:
    """In both units, such as "0.70 mL (35 mg)": ``{{ lot|amount:lot.balance_ml }}``."""
    return lot.vials.amount(ml)


@register.inclusion_tag("drugs/_session.html", takes_context=True)
def drugs_of(context: dict[str, Any], session: TreatmentSession) -> dict[str, Any]:
    """What was drawn, given and wasted for a session, and what is left: ``{% drugs_of session %}``."""
    objects: Any = StockEntry.objects
    accounts = objects.of_session(session).accounts()
    match = getattr(context.get("request"), "resolver_match", None)
    on_its_page = match is not None and match.url_name == "session"
    return {"session": session, "accounts": accounts, "may": context.get("may", {}), "on_its_page": on_its_page}
