"""The language of ``criteria_logic.csv``: small, closed, and three-valued.

An expression may use names of answers, constants, ``== != < <= > >= in``, ``not in``, ``not``, ``and``, ``or``,
``given(name, default)`` and ``name[:2]``; anything else is refused. It is true, false or unknown, after Kleene:
a missing answer makes a comparison unknown, and unknown never reads as false. ``given`` puts its default in the place of an answer that
is missing; for a list, also of one that leaves unticked options open.

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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

from reprieve.candidacy.questions import UNSURE

LONGEST = 1000
KNOWN, CLOSED = "__known", "__closed"


class ExpressionError(ValueError):
    """An expression outside the language of the rules."""


class Kind(Enum):
    VALUE = "value"
    CHOICE = "choice"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Expression:
    """A rule, parsed: ``surely`` and ``surely_not`` are Python conditions over the variables of ``names``.

    ``compared`` are the names that can leave the rule unknown, each with the variable that is None then and
    whether it stands in ``given`` (which is open only when the person was not sure, not when nothing was said).
    """

    text: str
    names: tuple[str, ...]
    compared: tuple[tuple[str, str, bool], ...]
    surely: str
    surely_not: str

    def decide(self, kinds: Mapping[str, Kind], answers: Mapping[str, Any]) -> bool | None:
        """True, false or unknown (None) for these answers."""
        variables = blank_variables(kinds)
        for name in kinds.keys() & answers.keys():
            hold(variables, kinds[name], name, answers[name])
        fired, unknown = compile_rules([self], variables)(variables, True)
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


class _Reader:
    """Walks one expression and writes its two conditions."""

    def __init__(self, text: str, kinds: Mapping[str, Kind]) -> None:
        self.text, self.kinds = text, kinds
        self.names: dict[str, None] = {}
        self.compared: dict[str, tuple[str, bool]] = {}
        self.names_unsure = False  # whether the comparison at hand names "not sure" or "rather not say"

    def refuse(self, node: ast.AST, why: str) -> ExpressionError:
        part = ast.get_source_segment(self.text, node) or self.text  # type: ignore[arg-type]
        return ExpressionError(f"{part!r} in {self.text!r}: {why}; see the module expressions for what is allowed")

    def read(self) -> Expression:
        if len(self.text) > LONGEST:
            raise ExpressionError(f"an expression of {len(self.text)} characters; at most {LONGEST}, so split the rule")
        try:
            tree = ast.parse(self.text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ExpressionError(f"{self.text!r} is not an expression: {error}; mend the brackets or quotes") from None
        surely, surely_not = self.condition(tree)
        compared = tuple((name, variable, given) for name, (variable, given) in self.compared.items())
        return Expression(self.text, tuple(self.names), compared, surely, surely_not)

    def condition(self, node: ast.expr) -> tuple[str, str]:
        match node:
            case ast.BoolOp(op=op, values=parts):
                both = [self.condition(part) for part in parts]
                all_of, any_of = " and ", " or "
                if isinstance(op, ast.Or):
                    all_of, any_of = any_of, all_of
                return f"({all_of.join(yes for yes, _ in both)})", f"({any_of.join(no for _, no in both)})"
            case ast.UnaryOp(op=ast.Not(), operand=part):
                yes, no = self.condition(part)
                return no, yes
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _SIGNS:
                return self.comparison(left, sign, right)
        raise self.refuse(node, "not a comparison of one answer, nor `and`, `or` or `not` of such")

    def comparison(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> tuple[str, str]:
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
            options = tuple(self.constant(option) for option in right.elts)
            other = _Operand(repr(options))
        else:
            other = self.operand(right)
            if other.missing:
                raise self.refuse(right, "given() stands on the left")
        present = "".join(f"{variable} is not None and " for variable in (*one.needs, *other.needs))
        yes = f"({present}{one.code} {symbol} {other.code})"
        no = f"({present}{one.code} {opposite} {other.code})"
        if not one.missing:
            return yes, no
        try:
            if apply(one.default, ast.literal_eval(other.code)):
                return f"({one.missing} or {yes})", f"(not {one.missing} and {no})"
        except (TypeError, ValueError):
            raise self.refuse(left, "the default of given() cannot be compared with the other side") from None
        return f"(not {one.missing} and {yes})", f"({one.missing} or {no})"

    def ticked(self, left: ast.expr, sign: ast.cmpop, right: ast.Name) -> tuple[str, str]:
        option = self.constant(left)
        if not isinstance(sign, ast.In | ast.NotIn) or not isinstance(option, str):
            raise self.refuse(left, f"write 'option' in {right.id}")
        self.compared[right.id] = (right.id + CLOSED, False)
        yes, no = f"{option!r} in {right.id}", f"({right.id}{CLOSED} and {option!r} not in {right.id})"
        return (yes, no) if isinstance(sign, ast.In) else (no, yes)

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
            return _Operand(name.id, (), f"(not {name.id}{CLOSED})", default)
        variable = self.variable(name)
        if variable == name.id:
            return _Operand(variable, (), f"({name.id} is None)", default)
        self.compared.setdefault(name.id, (variable, True))
        return _Operand(variable, (variable,), f"({name.id} is None)", default)

    def variable(self, node: ast.Name) -> str:
        if self.kind(node) is Kind.CHOICE and not self.names_unsure:
            return node.id + KNOWN
        return node.id

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
    rules: Sequence[Expression], variables: Iterable[str], later: Collection[int] = ()
) -> Callable[[Mapping[str, Any], bool], tuple[list[int], list[int]]]:
    """One function that decides all the rules and gives the places of those that fire and of those unknown.

    Parameters
    ----------
    variables : the names of the variables in the order in which the mapping will hold them
    later : places of rules to pass over when the function is called with ``False``
    """
    names = list(variables)
    if not all(name.isidentifier() for name in names):
        raise ExpressionError("a name of an answer is not a Python name; use letters, digits and underscores")

    def lines(places: Iterable[int]) -> Iterator[str]:
        for place in places:
            yield f"if {rules[place].surely}: fired.append({place})"
            yield f"elif not {rules[place].surely_not}: unknown.append({place})"

    source = "\n ".join(
        [
            "def decide(variables, with_later):",
            f"({', '.join(names)},) = variables.values()",
            "fired = []; unknown = []",
            *lines(place for place in range(len(rules)) if place not in later),
            "if with_later:",
            *(" " + line for line in ["pass", *lines(sorted(later))]),
            "return fired, unknown",
        ]
    )
    room: dict[str, Any] = {"__builtins__": {}}
    exec(compile(source, "<criteria_logic.csv>", "exec"), room)  # noqa: S102  (written above from a closed language)
    decide: Callable[[Mapping[str, Any], bool], tuple[list[int], list[int]]] = room["decide"]
    return decide


def parse(text: str, kinds: Mapping[str, Kind]) -> Expression:
    """Read one expression.

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
    return _Reader(text, kinds).read()
