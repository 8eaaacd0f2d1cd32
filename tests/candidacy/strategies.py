"""Clean answers of every kind, drawn from the questions themselves."""

from datetime import date

from hypothesis import strategies as st

from reprieve.candidacy import BRIEF, QUESTIONS
from reprieve.candidacy.questions import INSTRUMENT_OF, NOT_APPLICABLE

MEDICINES = [
    "none",
    "sertraline 50mg",
    "Xanax",
    "setraline",
    "calm drops",
    "fuloxetine",
    "oxycodone",
    "Nardil",
    "💊",
    "Zyban",
]


def answer_to(question):
    match question.type:
        case "single":
            extra = [NOT_APPLICABLE] if question.is_follow_up else []
            return st.sampled_from([*question.codes, *extra])
        case "multi":
            return st.lists(st.sampled_from(question.codes), unique=True, max_size=4)
        case "date":
            return st.dates(date(1905, 1, 1), date(2030, 1, 1)).map(date.isoformat)
        case "integer":
            return st.integers(int(question.minimum), int(question.maximum))
        case "number":
            return st.floats(question.minimum, question.maximum)
        case "region":
            return st.sampled_from(["US-CT", "GB", "GB-NIR", "ie", "PT", "ZZ"])
        case "group":
            return st.just({"name": "Bo", "phone": None, "safe_to_leave_message": "no"})
        case "medicine_list":
            return st.lists(st.sampled_from(MEDICINES) | st.text(max_size=30), max_size=4)
        case "instrument":
            return st.tuples(*(item_answer(item) for item in INSTRUMENT_OF[question.id].required)).map(list)
        case "boolean":
            return st.booleans()
    return st.just([{"criterion_id": "CV-01", "reason": "seen on a scan to be absent"}])


def item_answer(item):
    given = st.sampled_from(["yes", "no"]) if item.yes_no else st.integers(item.lowest, item.highest)
    return st.none() | given


def forms(questions):
    """Forms with any of the questions answered, left out or null."""
    return st.fixed_dictionaries({}, optional={question.id: st.none() | answer_to(question) for question in questions})


brief_forms = forms(BRIEF)
any_forms = forms(QUESTIONS.values())
