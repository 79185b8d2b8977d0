"""Mutants of a module: one expression changed at a time, and put into this process.

A change inside a function reaches every live function that was made of it, so that decorated rules and functions
that other modules have imported are changed as well. A change of a table (what stands in a module outside any
function), or of a function that a table is made with, makes the table anew, and those that are made of it.
"""

import ast
import gc
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.mutation.memories import Memories, file_of
from tests.mutation.operators import nodes, replaced, table_variants, variants

Lines = frozenset[tuple[str, int]]
"""Lines of files."""


@dataclass(frozen=True)
class Mutant:
    """One change: in which statement of which function ("" for a table), the name it gives, what it does."""

    file: Path
    first: int
    last: int
    line: int
    owner: str
    what: str
    index: int
    variant: int

    @property
    def text(self) -> str:
        """The line as it stands in the file."""
        return source(self.file).text.splitlines()[self.line - 1].strip()


@dataclass(frozen=True)
class Source:
    """A module as it was written when the run began: its text, its tree and its code."""

    text: str
    tree: ast.Module
    code: CodeType


class Unmade(Exception):
    """A table cannot be made any more: whoever imports its module fails."""


@cache
def source(file: Path) -> Source:
    """The module in this file."""
    text = file.read_text()
    tree = ast.parse(text)
    return Source(text, tree, compile(tree, str(file), "exec"))


def mutants_of(file: Path) -> list[Mutant]:
    """Every mutant of a module."""
    found, tree = [], source(file).tree
    times: Counter[tuple[int, str]] = Counter()
    statements = _statements(tree)
    for index, node in enumerate(nodes(tree)):
        first, last, owner = _place(statements, node)
        if owner is None:
            continue
        what = table_variants(node) if owner == "" else variants(node)
        for variant, (said, _) in enumerate(what):
            times[node.lineno, said] += 1
            again = times[node.lineno, said]
            said = said if again == 1 else f"{said} (no. {again})"
            found.append(Mutant(file, first, last, node.lineno, owner, said, index, variant))
    return found


def _statements(tree: ast.Module) -> list[tuple[int, int, str | None]]:
    """First and last line of every statement (of its head, when others stand in it), and its function."""
    found: list[tuple[int, int, str | None]] = []

    def walk(body: list[Any], owner: str | None) -> None:
        for one in body:
            inner = [
                block
                for name in ("body", "orelse", "finalbody", "handlers")
                for block in getattr(one, name, [])
            ]
            last = min((block.lineno for block in inner), default=one.end_lineno + 1) - 1
            function = isinstance(one, ast.FunctionDef)
            if not function:
                found.append(
                    (one.lineno, max(last, one.lineno), None if isinstance(one, ast.ClassDef) else owner)
                )
            within = owner or one.name if function else None if isinstance(one, ast.ClassDef) else owner
            walk(inner, within)

    walk(tree.body, "")
    return found


def _place(statements: list[tuple[int, int, str | None]], node: Any) -> tuple[int, int, str | None]:
    """The smallest statement around the node."""
    around = [one for one in statements if one[0] <= node.lineno <= one[1]]
    return max(around, key=lambda one: one[0], default=(0, 0, None))


def changed_tree(mutant: Mutant) -> ast.Module:
    """The module's tree with the change."""
    tree = ast.parse(source(mutant.file).text)
    node = list(nodes(tree))[mutant.index]
    made = list(table_variants(node) if mutant.owner == "" else variants(node))
    replaced(tree, node, made[mutant.variant][1])
    return tree


class World:
    """What of the modules lives in this process."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        names, root = {str(file) for file in files}, str(Path.cwd())
        self.everyone = [
            m for m in list(sys.modules.values()) if str(getattr(m, "__file__", "")).startswith(root)
        ]
        self.modules = {Path(m.__file__): m for m in self.everyone if m.__file__ in names}
        self.functions: dict[tuple[str, int], list[FunctionType]] = {}
        self.with_defaults: list[FunctionType] = []
        self.memories = Memories()
        self.memories.forget()
        for one in gc.get_objects():
            if (
                type(one) is FunctionType
                and (one.__defaults__ or one.__kwdefaults__)
                and file_of(one).startswith(root)
            ):
                self.with_defaults.append(one)
            if type(one) is FunctionType and one.__code__.co_filename in names:  # a proxy would be called
                code = one.__code__
                self.functions.setdefault((code.co_filename, code.co_firstlineno), []).append(one)

    def lines_of(self, mutant: Mutant) -> Lines:
        """The lines of which a test must pass at least one to be able to notice."""
        own = frozenset((str(mutant.file), line) for line in range(mutant.first, mutant.last + 1))
        if not mutant.owner:
            return self._readers(frozenset(_targets(self._statement(mutant.file, mutant.first))))
        return own | self._readers(frozenset({mutant.owner})) if mutant.owner in self.makers else own

    @cached_property
    def makers(self) -> set[str]:
        """The functions that tables are made with, and those that these call."""
        codes = {code.co_name: code for file in self.files for code in _all(source(file).code)}
        found = {name for file in self.files for one in _tables(file) for name in _called(one)} & set(codes)
        todo = list(found)
        while todo:
            more = (set(codes[todo.pop()].co_names) & set(codes)) - found
            found |= more
            todo += more
        return found

    def apply(self, mutant: Mutant) -> bool:
        """Put the change into this process; False when it could not be. Raises Unmade when no module could be made of it."""
        done = self._change(mutant)
        self.memories.forget()
        Memories().forget()  # of what was made only now; what lived before is frozen and not found again
        return done

    def _change(self, mutant: Mutant) -> bool:
        tree = changed_tree(mutant)
        if not mutant.owner:
            statement = next(s for s in tree.body if s.lineno <= mutant.first <= (s.end_lineno or 0))
            return self._remake(mutant.file, [statement], _targets(statement))
        try:
            code = compile(tree, str(mutant.file), "exec")
            done = self._change_functions(mutant.file, source(mutant.file).code, code)
        except (SyntaxError, ValueError):  # it is no code, or closes over more or fewer names than before
            return False
        if mutant.owner in self.makers:
            return self._remake(mutant.file, [], {mutant.owner})
        return done

    def _change_functions(self, file: Path, old: CodeType, new: CodeType) -> bool:
        """Give live functions the changed code of theirs."""
        done, befores, afters = False, _inner(old), _inner(new)
        if len(befores) != len(afters):
            return False  # the change takes an inner function away: its owner has it all
        for before, after in zip(befores, afters, strict=True):
            if before == after:
                continue
            for one in self.functions.get((str(file), before.co_firstlineno), []):
                if one.__code__ == before:
                    one.__code__, done = after, True
            done = self._change_functions(file, before, after) or done
        return done

    def _remake(self, file: Path, statements: list[ast.stmt], names: set[str]) -> bool:
        """Run the changed statements in their module, then every table made of what they name, in any module."""
        changed, done, again = set(names), set(), True
        for statement in statements:
            changed |= self._run(self.modules[file], statement)
        if statements:
            done.add((file, statements[0].lineno))
        while again:
            again = False
            for path, module in self.modules.items():
                for one in _tables(path):
                    if (path, one.lineno) not in done and _named(one) & changed - _targets(one):
                        done.add((path, one.lineno))
                        changed |= self._run(module, one)
                        again = True
        return True

    def _run(self, module: ModuleType, statement: ast.stmt) -> set[str]:
        """Run one statement in a module and let every module that imported the old value have the new one."""
        self.memories.forget()
        space, names = vars(module), _targets(statement)
        before = {name: space.get(name) for name in names}
        try:
            exec(compile(ast.Module([statement], []), str(module.__file__), "exec"), space)
        except Exception as error:
            raise Unmade from error
        for name in names:
            if before[name] is None or isinstance(before[name], str | int | Decimal):
                self._pass_on_by_name(module, name, before[name], space[name])
            else:
                self._pass_on(before[name], space[name])
        return names

    def _pass_on_by_name(self, of: ModuleType, name: str, old: Any, new: Any) -> None:
        """Give a new number or text to those who imported it from there: others may have the old one as well."""
        for module in self.everyone:
            if module is not of and any(value is old for value in vars(module).values()):
                for own in _imported(Path(str(module.__file__)), of.__name__, name):
                    vars(module)[own] = new

    def _pass_on(self, old: Any, new: Any) -> None:
        """Give the new value to all who imported the old one, by whatever name, or have it as a default."""
        for module in self.everyone:
            for name, value in vars(module).items():
                if value is old:
                    vars(module)[name] = new
        for one in self.with_defaults:
            if any(value is old for value in one.__defaults__ or ()):
                one.__defaults__ = tuple(new if value is old else value for value in one.__defaults__ or ())
            for name, value in (one.__kwdefaults__ or {}).items():
                if value is old:
                    (one.__kwdefaults__ or {})[name] = new

    def _statement(self, file: Path, line: int) -> ast.stmt:
        return next(s for s in source(file).tree.body if s.lineno <= line <= (s.end_lineno or 0))

    @cache  # noqa: B019
    def _readers(self, names: frozenset[str]) -> Lines:
        """The lines of every function that names one of these, or a table made of it."""
        wide = self.made_of(names)
        found: set[tuple[str, int]] = set()
        for file in self.files:
            by_default = self._by_default(file, wide)
            for code in _all(source(file).code):
                if wide & set(code.co_names) or (code.co_name, code.co_firstlineno) in by_default:
                    found |= {(str(file), line) for _, _, line in code.co_lines() if line is not None}
        return frozenset(found)

    def made_of(self, names: frozenset[str]) -> set[str]:
        """These names and those of all tables made of them."""
        wide, before = set(names), 0
        while len(wide) > before:
            before = len(wide)
            for file in self.files:
                for one in source(file).tree.body:
                    if isinstance(one, ast.Assign | ast.AnnAssign) and _named(one) & wide:
                        wide |= _targets(one)
        return wide

    def tables(self, mutant: Mutant) -> set[str]:
        """The tables a change alters; none when it is inside a function."""
        if mutant.owner:
            return set()
        return self.made_of(frozenset(_targets(self._statement(mutant.file, mutant.first))))

    def _by_default(self, file: Path, names: set[str]) -> set[tuple[str, int]]:
        """The functions of a module one of whose defaults is among these, and their first lines."""
        return {
            (one.name, min([one.lineno, *(d.lineno for d in one.decorator_list)]))
            for one in ast.walk(source(file).tree)
            if isinstance(one, ast.FunctionDef)
            and any(
                isinstance(d, ast.Name) and d.id in names for d in (*one.args.defaults, *one.args.kw_defaults)
            )
        }


def _imported(file: Path, module: str, name: str) -> list[str]:
    """How a module calls what it imported by this name from that module; nothing when it did not."""
    if file.suffix != ".py":
        return []  # a compiled module imports nothing of the project
    text = file.read_text()
    if name not in text:
        return []
    return [
        alias.asname or alias.name
        for one in ast.walk(ast.parse(text))
        if isinstance(one, ast.ImportFrom) and one.module == module
        for alias in one.names
        if alias.name == name
    ]


def _tables(file: Path) -> list[ast.stmt]:
    return [one for one in source(file).tree.body if isinstance(one, ast.Assign | ast.AnnAssign)]


def _targets(statement: ast.stmt) -> set[str]:
    """The names a statement of a module gives a value."""
    targets: list[Any] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    return {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}


def _named(statement: ast.stmt) -> set[str]:
    """The names a statement reads."""
    value = getattr(statement, "value", None)
    return {one.id for one in ast.walk(value) if isinstance(one, ast.Name)} if value is not None else set()


def _called(statement: ast.stmt) -> set[str]:
    """The functions a table calls when it is made."""
    calls = (one for one in ast.walk(statement) if isinstance(one, ast.Call))
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def _inner(code: CodeType) -> list[CodeType]:
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _all(code: CodeType) -> Iterator[CodeType]:
    for one in _inner(code):
        yield one
        yield from _all(one)
