"""The language of ``criteria_logic.csv``: small, closed, and three-valued.

An expression may use names of answers, constants, ``== != < <= > >= in``, ``not in``, ``not``, ``and``, ``or``,
``given(name, default)`` and ``name[:2]``; anything else is refused. It is true, false or unknown, after Kleene:
a missing answer makes a comparison unknown, and unknown never reads as false. ``given`` puts its default in the
place of an answer that is missing; for a list, also of one that leaves unticked options open.

Each expression is turned into two plain conditions: one that holds when it is surely true, one that holds when
it is surely false. When neither holds it is unknown. ``and`` keeps both apart: it is surely true when all
parts are, surely false when one part is; ``not`` swaps the two.

A name is held in the generated code as up to three variables:

========  ========================  ====================================================================
kind      variables                 meaning
========  ========================  ====================================================================
value     ``x``                     the answer, None when missing
choice    ``x``, ``x__known``       the answer as said; the same, or None when it is "not sure" or the like
list      ``x``, ``x__closed``      the ticked options; True when an unticked option is surely not so, or None
========  ========================  ====================================================================
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from reprieve.candidacy.questions import UNSURE

LONGEST = 1000
ALWAYS, NEVER, ABSENT = "True", "False", "None"
KNOWN, CLOSED = "__known", "__closed"


class ExpressionError(ValueError):
    """An expression outside the language of the rules."""


class Kind(Enum):
    VALUE = "value"
    CHOICE = "choice"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Expression:
    """A rule, parsed: ``surely`` and ``settled`` are Python conditions over the variables of ``names``.

    ``surely`` holds when the rule fires; when it does not, ``settled`` tells surely not so from unknown.

    ``compared`` are the names that can leave the rule unknown, each with the variable that is None then and
    whether it stands in ``given`` (which is open only when the person was not sure, not when nothing was said).
    """

    text: str
    names: tuple[str, ...]
    compared: tuple[tuple[str, str, bool], ...]
    surely: str
    settled: str

    def open_names(self, bits: int) -> tuple[str, ...]:
        """The names behind the bits that ``compile_rules`` gives with an unknown rule."""
        return tuple(name for place, (name, _, _) in enumerate(self.compared) if bits >> place & 1)

    def decide(self, kinds: Mapping[str, Kind], answers: Mapping[str, Any]) -> bool | None:
        """True, false or unknown (None) for these answers."""
        variables = blank_variables(kinds)
        for name in kinds.keys() & answers.keys():
            hold(variables, kinds[name], name, answers[name])
        fired, unknown = compile_rules({0: self}, variables)(variables)
        return True if fired else None if unknown else False


def blank_variables(kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The variables of a form on which nothing is answered, in a fixed order."""
    variables: dict[str, Any] = {}
    for name, kind in kinds.items():
        variables[name] = () if kind is Kind.LIST else None
        if kind is Kind.CHOICE:
            variables[name + KNOWN] = None
        elif kind is Kind.LIST:
            variables[name + CLOSED] = None
    return variables


def hold(variables: dict[str, Any], kind: Kind, name: str, value: Any) -> None:
    """Put one answer into the variables."""
    if kind is Kind.LIST:
        variables[name] = tuple(value) if value else ()
        variables[name + CLOSED] = None if not value or not UNSURE.isdisjoint(value) else True
        return
    variables[name] = value
    if kind is Kind.CHOICE:
        variables[name + KNOWN] = None if value in UNSURE else value


_SIGNS: Mapping[type[ast.cmpop], tuple[str, str, Callable[[Any, Any], bool]]] = MappingProxyType(
    {
        ast.Eq: ("==", "!=", operator.eq),
        ast.NotEq: ("!=", "==", operator.ne),
        ast.Lt: ("<", ">=", operator.lt),
        ast.LtE: ("<=", ">", operator.le),
        ast.Gt: (">", "<=", operator.gt),
        ast.GtE: (">=", "<", operator.ge),
        ast.In: ("in", "not in", lambda left, right: left in right),
        ast.NotIn: ("not in", "in", lambda left, right: left not in right),
    }
)


@dataclass(frozen=True, slots=True)
class _Operand:
    """One side of a comparison: the code of its value, and the variables that must not be None."""

    code: str
    needs: tuple[str, ...] = ()
    missing: str = ""  # for given(): the condition under which the default stands
    default: Any = None


class _Conditions(NamedTuple):
    """When it is surely so; when it is surely not so; and the short form of that once it is not surely so."""

    surely: str
    surely_not: str
    settled: str

    @classmethod
    def of(cls, surely: str, surely_not: str) -> _Conditions:
        return cls(surely, surely_not, surely_not)


def _any_of(conditions: Iterable[str]) -> str:
    parts = [condition for condition in conditions if condition != NEVER]
    return ALWAYS if ALWAYS in parts else f"({' or '.join(parts)})" if parts else NEVER


def _all_of(conditions: Iterable[str]) -> str:
    parts = [condition for condition in conditions if condition not in (ALWAYS, f"not {NEVER}")]
    is_never = NEVER in parts or f"not {ALWAYS}" in parts
    return NEVER if is_never else f"({' and '.join(parts)})" if parts else ALWAYS


class _Reader:
    """Walks one expression and writes its two conditions."""

    def __init__(self, text: str, kinds: Mapping[str, Kind], absent: Collection[str]) -> None:
        self.text, self.kinds, self.absent = text, kinds, absent
        self.names: dict[str, None] = {}
        self.compared: dict[str, tuple[str, bool]] = {}
        self.names_unsure = False  # whether the comparison at hand names "not sure" or "rather not say"

    def refuse(self, node: ast.AST, why: str) -> ExpressionError:
        part = ast.get_source_segment(self.text, node) or self.text
        return ExpressionError(f"{part!r} in {self.text!r}: {why}; see the module expressions for what is allowed")

    def read(self) -> Expression:
        if len(self.text) > LONGEST:
            raise ExpressionError(f"an expression of {len(self.text)} characters; at most {LONGEST}, so split the rule")
        try:
            tree = ast.parse(self.text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ExpressionError(f"{self.text!r} is not an expression: {error}; mend the brackets or quotes") from None
        surely, _, settled = self.condition(tree)
        compared = tuple((name, variable, given) for name, (variable, given) in self.compared.items())
        return Expression(self.text, tuple(self.names), compared, surely, settled)

    def condition(self, node: ast.expr) -> _Conditions:
        match node:
            case ast.BoolOp(op=ast.Or(), values=parts):
                each = [self.condition(part) for part in parts]
                yes, no = _any_of(part.surely for part in each), _all_of(part.surely_not for part in each)
                return _Conditions(yes, no, _all_of(part.settled for part in each))
            case ast.BoolOp(op=ast.And(), values=parts):
                each = [self.condition(part) for part in parts]
                return _Conditions.of(_all_of(part.surely for part in each), _any_of(part.surely_not for part in each))
            case ast.UnaryOp(op=ast.Not(), operand=part):
                yes, no, _ = self.condition(part)
                return _Conditions.of(no, yes)
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _SIGNS:
                return self.comparison(left, sign, right)
        raise self.refuse(node, "not a comparison of one answer, nor `and`, `or` or `not` of such")

    def comparison(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> _Conditions:
        if isinstance(right, ast.Name) and self.kind(right) is Kind.LIST:
            return self.ticked(left, sign, right)
        self.names_unsure = any(
            isinstance(node, ast.Constant) and node.value in UNSURE for side in (left, right) for node in ast.walk(side)
        )
        symbol, opposite, apply = _SIGNS[type(sign)]
        one = self.operand(left)
        if isinstance(sign, ast.In | ast.NotIn):
            if not isinstance(right, ast.Tuple):
                raise self.refuse(right, "`in` takes a list of options or a tick list")
            other = _Operand(repr(tuple(self.constant(option) for option in right.elts)))
        else:
            other = self.operand(right)
            if other.missing:
                raise self.refuse(right, "given() stands on the left")
        yes, no, present = self.known(one, symbol, opposite, other)
        if not one.missing:
            return _Conditions(yes, no, present)
        try:
            by_default = apply(one.default, ast.literal_eval(other.code))
        except (TypeError, ValueError):
            raise self.refuse(left, "the default of given() cannot be compared with the other side") from None
        if by_default:
            return _Conditions.of(_any_of((one.missing, yes)), _all_of((f"not {one.missing}", no)))
        yes, no = _all_of((f"not {one.missing}", yes)), _any_of((one.missing, no))
        return _Conditions(yes, no, _any_of((one.missing, present)))

    def known(self, one: _Operand, symbol: str, opposite: str, other: _Operand) -> _Conditions:
        """Both sides compared where nothing is missing; the third condition is that nothing is."""
        needs = (*one.needs, *other.needs)
        if ABSENT in needs:
            return _Conditions(NEVER, NEVER, NEVER)
        present = [f"{variable} is not None" for variable in needs]
        yes, no = f"{one.code} {symbol} {other.code}", f"{one.code} {opposite} {other.code}"
        return _Conditions(_all_of((*present, yes)), _all_of((*present, no)), _all_of(present))

    def ticked(self, left: ast.expr, sign: ast.cmpop, right: ast.Name) -> _Conditions:
        option = self.constant(left)
        if not isinstance(sign, ast.In | ast.NotIn) or not isinstance(option, str):
            raise self.refuse(left, f"write 'option' in {right.id}")
        closed = ABSENT if right.id in self.absent else right.id + CLOSED
        self.compared[right.id] = (closed, False)
        if closed == ABSENT:
            return _Conditions(NEVER, NEVER, NEVER)
        yes, no = f"({option!r} in {right.id})", f"({closed} and {option!r} not in {right.id})"
        return _Conditions(yes, no, closed) if isinstance(sign, ast.In) else _Conditions.of(no, yes)

    def operand(self, node: ast.expr) -> _Operand:
        match node:
            case ast.Constant():
                return _Operand(repr(self.constant(node)))
            case ast.Name():
                if self.kind(node) is Kind.LIST:
                    raise self.refuse(node, "a tick list is read with 'option' in name")
                variable = self.variable(node)
                self.compared[node.id] = (variable, False)
                return _Operand(variable, (variable,))
            case ast.Subscript(
                value=ast.Name() as name, slice=ast.Slice(lower=None, upper=ast.Constant(int(end)), step=None)
            ):
                whole = self.operand(name)
                return _Operand(f"{whole.code}[:{end}]", whole.needs)
            case ast.Call(func=ast.Name("given"), args=[ast.Name() as name, default], keywords=[]):
                return self.given(name, self.constant(default))
        raise self.refuse(node, "not a name, a constant, name[:2] or given(name, default)")

    def given(self, name: ast.Name, default: Any) -> _Operand:
        if self.kind(name) is Kind.LIST:
            missing = ALWAYS if name.id in self.absent else f"(not {name.id}{CLOSED})"
            return _Operand(name.id, (), missing, default)
        variable = self.variable(name)
        missing = ALWAYS if variable == ABSENT else f"({name.id} is None)"
        if variable in (ABSENT, name.id):
            return _Operand(variable, (), missing, default)
        self.compared.setdefault(name.id, (variable, True))
        return _Operand(variable, (variable,), missing, default)

    def variable(self, node: ast.Name) -> str:
        is_choice = self.kind(node) is Kind.CHOICE
        if node.id in self.absent:
            return ABSENT
        return node.id + KNOWN if is_choice and not self.names_unsure else node.id

    def kind(self, node: ast.Name) -> Kind:
        if node.id not in self.kinds:
            raise self.refuse(node, "no question and no derived answer has this name")
        self.names[node.id] = None
        return self.kinds[node.id]

    def constant(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bool | int | float):
            return node.value
        raise self.refuse(node, "not a text, a number, True or False")


def compile_rules(
    rules: Mapping[int, Expression], variables: Iterable[str]
) -> Callable[[Mapping[str, Any]], tuple[list[int], list[tuple[int, int]]]]:
    """One function that decides all the rules, fast.

    Parameters
    ----------
    rules : by number
    variables : the names of the variables in the order in which the mapping will hold them

    Returns
    -------
    a function that gives the numbers of the rules that fire; and of each unknown rule the number, with one bit for
    each name that it compares and that is open
    """
    names = list(variables)
    if not all(name.isidentifier() for name in names):
        raise ExpressionError("a name of an answer is not a Python name; use letters, digits and underscores")
    source = ["def decide(variables):", f"({', '.join(names)},) = variables.values()", "fired = []; unknown = []"]
    for number, rule in rules.items():
        source.append(f"if {rule.surely}: fired.append({number})")
        source.append(f"elif not {rule.settled}: unknown.append(({number}, {_open_bits(rule)}))")
    source.append("return fired, unknown")
    room: dict[str, Any] = {"__builtins__": {}}
    code = compile("\n ".join(source), "<criteria_logic.csv>", "exec")
    exec(code, room)  # noqa: S102  (written above, from a closed language)
    decide: Callable[[Mapping[str, Any]], tuple[list[int], list[tuple[int, int]]]] = room["decide"]
    return decide


def _open_bits(rule: Expression) -> str:
    bits = (
        f"({variable} is None and {name} is not None) << {place}" if given else f"({variable} is None) << {place}"
        for place, (name, variable, given) in enumerate(rule.compared)
    )
    return " | ".join(bits) or "0"


def parse(text: str, kinds: Mapping[str, Kind], absent: Collection[str] = ()) -> Expression:
    """Read one expression.

    Parameters
    ----------
    kinds : every name that the expression may use
    absent : names known to be without an answer, for which no variable is needed

    Raises
    ------
    ExpressionError : for anything outside the language

    Examples
    --------
    >>> kinds = {"systolic": Kind.VALUE, "conditions": Kind.LIST}
    >>> rule = parse("systolic > 140 or 'bp_crisis' in conditions", kinds)
    >>> rule.decide(kinds, {"systolic": 150}), rule.decide(kinds, {"systolic": 120})
    (True, None)
    >>> rule.decide(kinds, {"systolic": 120, "conditions": ["none"]})
    False
    >>> rule.decide(kinds, {"systolic": 120, "conditions": ["none", "not_sure"]}) is None
    True
    """
    return _Reader(text, kinds, absent).read()
