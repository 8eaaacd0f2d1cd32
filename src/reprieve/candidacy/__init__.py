"""From the brief form to the candidacy card: questions, criteria, medicines, crisis lines, and what the answers say."""

from reprieve.candidacy import crisis
from reprieve.candidacy.assess import Assessment, Finding, Unknown, assess
from reprieve.candidacy.crisis import CrisisLine
from reprieve.candidacy.crisis import first_line as first_crisis_line
from reprieve.candidacy.crisis import lines_for as crisis_lines
from reprieve.candidacy.criteria import CRITERIA, RULE_SET_VERSION, STAGES, Category, Criterion
from reprieve.candidacy.medicines import suggestions
from reprieve.candidacy.questions import BRIEF, QUESTIONS, AnswerError, Question, check_answer

__all__ = [
    "BRIEF",
    "CRITERIA",
    "QUESTIONS",
    "RULE_SET_VERSION",
    "STAGES",
    "AnswerError",
    "Assessment",
    "Category",
    "CrisisLine",
    "Criterion",
    "Finding",
    "Question",
    "Unknown",
    "assess",
    "check_answer",
    "crisis",
    "crisis_lines",
    "first_crisis_line",
    "suggestions",
]
