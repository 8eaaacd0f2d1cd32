"""Insert a row with a statement that is written once, and values that are made ready before the transaction.

Django writes every INSERT anew, which takes longer than the INSERT. While an enquiry is saved everybody else waits
for the writer lock, so what can be done before it is done before it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connection, models


@cache
def _statement(model: type[models.Model], vendor: str) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in _columns(model))
    places = ", ".join(["%s"] * len(_columns(model)))
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places}) RETURNING id"  # noqa: S608


@cache
def _columns(model: type[models.Model]) -> tuple[models.Field[Any, Any], ...]:
    return tuple(field for field in model._meta.concrete_fields if not field.primary_key)


class Ready:
    """A new row, checked and encrypted, that only needs to be written."""

    def __init__(self, row: models.Model) -> None:
        self.row = row
        fields = _columns(type(row))
        self.values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]

    def insert(self) -> None:
        """Write it inside the current transaction, and give the row its id."""
        with connection.cursor() as cursor:
            cursor.execute(_statement(type(self.row), connection.vendor), self.values)
            self.row.pk = cursor.fetchone()[0]
        self.row._state.adding = False
        self.row._state.db = connection.alias
