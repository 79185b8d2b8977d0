"""What one expression can be changed into.

Words are left alone (messages, labels); what decides is changed: comparisons, logic, arithmetic, numbers (those
written as text for a decimal too), codes that are compared, entries of tables, results.
"""

import ast
import copy
import re
from collections.abc import Iterator
from typing import Any

COMPARE: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC: dict[type, type] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
WORDS = {"en", "zh", "note", "limit", "message"}
"""Keyword arguments that only say something."""
NUMERAL = re.compile(r"-?\d+(\.\d+)?(e\d+)?")

Variant = tuple[str, Any]
"""What the change does, and the node that takes the old one's place."""


def nodes(tree: ast.AST) -> Iterator[Any]:
    """The nodes that may be changed, in a fixed order; words, assertions and annotations are passed over."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.keyword) and node.arg in WORDS:
            continue
        if isinstance(node, ast.FunctionDef):
            for statement in node.body:
                yield from _within(statement)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                yield from _within(node.value)
        else:
            yield from _within(node)


def _within(node: Any) -> Iterator[Any]:
    if isinstance(node, ast.JoinedStr | ast.Assert) or _names_only(node):
        return
    if hasattr(node, "lineno"):
        yield node
    yield from nodes(node)


def _names_only(node: Any) -> bool:
    """Whether this is the name of a type, or the list of a module's public names."""
    return isinstance(node, ast.Assign) and (
        isinstance(node.value, ast.Subscript) or ast.unparse(node.targets[0]) == "__all__"
    )


def variants(node: Any) -> Iterator[Variant]:
    """What a node inside a function can be changed into."""
    if isinstance(node, ast.Compare):
        yield from _compared(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{type(node.op).__name__} -> {other.__name__}", _with(node, op=other())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not removed", node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        other = ARITHMETIC[type(node.op)]
        yield f"{type(node.op).__name__} -> {other.__name__}", _with(node, op=other())
    elif isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and not node.value.value):
            yield "return None", _with(node, value=ast.Constant(None))
    elif isinstance(node, ast.If | ast.IfExp | ast.While) and isinstance(
        node.test, ast.Name | ast.Call | ast.Attribute
    ):
        yield "condition negated", _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SWAPPED:
        other_name = SWAPPED[node.func.id]
        yield f"{node.func.id} -> {other_name}", _with(node, func=ast.Name(other_name, ast.Load()))
    elif isinstance(node, ast.Continue):
        yield "continue -> break", ast.Break()


def table_variants(node: Any) -> Iterator[Variant]:
    """What a node of a table can be changed into: beside the above, a code or an entry is left out."""
    yield from variants(node)
    if isinstance(node, ast.Tuple | ast.List | ast.Set) and len(node.elts) > 1 and _codes(node.elts):
        for place, one in enumerate(node.elts):
            rest = [e for at, e in enumerate(node.elts) if at != place]
            yield f"{ast.unparse(one)} left out", _with(node, elts=rest)
    elif isinstance(node, ast.Dict) and len(node.keys) > 1:
        for place, key in enumerate(node.keys):
            if isinstance(key, ast.Constant | ast.Attribute):
                keys = [k for at, k in enumerate(node.keys) if at != place]
                values = [v for at, v in enumerate(node.values) if at != place]
                yield f"{ast.unparse(key)} left out", _with(node, keys=keys, values=values)


def replaced(tree: ast.AST, old: ast.AST, new: Any) -> None:
    """Put `new` in the place of `old`."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, ast.copy_location(new, old))
            elif isinstance(value, list) and any(one is old for one in value):
                setattr(parent, name, [ast.copy_location(new, old) if one is old else one for one in value])
            else:
                continue
            ast.fix_missing_locations(tree)
            return


def _compared(node: ast.Compare) -> Iterator[Variant]:
    for place, op in enumerate(node.ops):
        for other in COMPARE.get(type(op), ()):
            ops = [other() if at == place else one for at, one in enumerate(node.ops)]
            where = f" ({place})" if len(node.ops) > 1 else ""
            yield f"{type(op).__name__} -> {other.__name__}{where}", _with(node, ops=ops)
    if len(node.ops) == 1:
        yield from _codes_compared(node)


def _codes_compared(node: ast.Compare) -> Iterator[Variant]:
    """A code that is compared becomes another one."""
    right = node.comparators[0]
    if isinstance(right, ast.Constant) and isinstance(right.value, str) and right.value:
        yield f"{right.value!r} -> another", _with(node, comparators=[ast.Constant("XX" + right.value)])
    if isinstance(right, ast.Tuple):
        for place, one in enumerate(right.elts):
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value:
                elts = [e for at, e in enumerate(right.elts) if at != place]
                yield f"{one.value!r} left out", _with(node, comparators=[ast.Tuple(elts, ast.Load())])


def _constant(node: ast.Constant) -> Iterator[Variant]:
    value = node.value
    if isinstance(value, bool):
        yield f"{value} -> {not value}", ast.Constant(not value)
    elif isinstance(value, int):
        yield f"{value} -> {value + 1}", ast.Constant(value + 1)
    elif isinstance(value, str) and NUMERAL.fullmatch(value):
        more = _more(value)
        yield f"'{value}' -> '{more}'", ast.Constant(more)


def _more(numeral: str) -> str:
    """The same number with its last digit, as printed, one higher."""
    number, e, power = numeral.partition("e")
    whole, point, part = number.partition(".")
    digits = str(int(whole + part) + 1).rjust(len(whole + part), "0")
    return (f"{digits[: -len(part)]}.{part and digits[-len(part) :]}" if point else digits) + e + power


def _codes(elements: list[Any]) -> bool:
    """Whether these are codes or names of codes, and no words (which have a space or are not ASCII)."""
    return all(
        isinstance(one, ast.Attribute | ast.Name)
        or (
            isinstance(one, ast.Constant)
            and isinstance(one.value, str | int)
            and str(one.value).isascii()
            and " " not in str(one.value)
        )
        for one in elements
    )


def _with(node: Any, **changes: Any) -> Any:
    made = copy.copy(node)
    for name, value in changes.items():
        setattr(made, name, value)
    return made
