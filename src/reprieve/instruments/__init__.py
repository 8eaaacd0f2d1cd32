"""Questionnaires and interviews: what they ask, and what the answers amount to."""

from reprieve.instruments.change import Changed, reliable_change
from reprieve.instruments.instrument import Instrument, InstrumentError, Item
from reprieve.instruments.official import WordingError, with_official_wording
from reprieve.instruments.score import AnswerError, Score, Verdict, score
from reprieve.instruments.tables import INSTRUMENTS, find

__all__ = [
    "INSTRUMENTS",
    "AnswerError",
    "Changed",
    "Instrument",
    "InstrumentError",
    "Item",
    "Score",
    "Verdict",
    "WordingError",
    "find",
    "reliable_change",
    "score",
    "with_official_wording",
]
