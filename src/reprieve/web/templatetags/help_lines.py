"""Help lines in templates."""

from __future__ import annotations

from django import template

from reprieve.candidacy.crisis import CrisisLine
from reprieve.web.models import Clinic

register = template.Library()


@register.filter
def is_untried(line: CrisisLine, clinic: Clinic) -> bool:
    """Whether nobody looked the number up, and nobody of the clinic has tried it either."""
    return bool(line.mark) and clinic.help_line_item(line) not in clinic.checked_items
