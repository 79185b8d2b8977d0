"""A pytest plugin that shows every mutant to the collected tests, each in a forked process.

    python -m pytest -p tests.mutation.plugin --mutate safety/rules --mutate safety/derive tests/test_rules.py ...

First every test runs once and tells which lines it passes, and once more in a forked process without any change: what
fails there judges nothing, for it would notice everything. A mutant is shown to the tests that pass its lines only, the one
that noticed it last time first, and until one fails. Tests that need a database come in with --mutate-database; each process
opens a connection of its own, and what a test wrote is rolled back. Those that need a browser, or that write for good
(transactional ones), are left out: what only they would notice counts as survived. A database needs its server:

    python -m launch with --var var/test -- python -m pytest -p tests.mutation.plugin --mutate-database --mutate ...

Such a test takes a second where a pure one takes a millisecond: name the few modules that need it, and the test files that
touch them. More than one process at once wait for each other's locks; --mutate-at-once 1 is as quick.
"""

import gc
import json
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from _pytest.runner import runtestprotocol
from django.db import connections

from tests.mutation.memories import Memories
from tests.mutation.mutants import Mutant, Unmade, World, mutants_of

KILLED, SURVIVED, NOT_APPLIED = 1, 0, 3
LONGEST_WAIT = 600
"""Seconds after which a test that only waits, for a lock or an answer, counts as one that never ends."""
KEPT = Path("var/mutation")
"""Which test noticed which mutant, and who survived: only to be quicker the next time."""


def pytest_addoption(parser: Any) -> None:
    """Which modules are changed, how many at once, and the share that must be killed."""
    parser.addoption("--mutate", action="append", default=[], help="a module or a folder of modules")
    parser.addoption("--mutate-again", action="store_true", help="only those that survived the last time")
    parser.addoption("--mutate-database", action="store_true", help="tests that need a database as well")
    parser.addoption("--mutate-at-once", type=int, default=os.cpu_count() or 1)
    parser.addoption("--mutate-least", type=float, default=95.0, help="per cent to be killed")
    parser.addoption("--mutate-argued", default="docs/mutants.txt", help="file of survivors that are argued")


def pytest_configure(config: Any) -> None:
    """The same examples for every mutant, and no search for the smallest one."""
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutation", deadline=None, derandomize=True, database=None, phases=phases
    )
    hypothesis.settings.load_profile("mutation")


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Leave out what needs a browser, or a database where none is asked for, or writes there for good."""
    bad, database = {"transactional_db", "live_server", "page", "browser"}, {"db", "django_db_setup"}
    if not config.getoption("--mutate-database"):
        bad |= database
    left = []
    for item in items:
        mark = item.get_closest_marker("django_db")
        for_good = mark is not None and ("db" in bad or mark.kwargs.get("transaction") or mark.args)
        if for_good or bad & set(item.fixturenames):
            left.append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in set(left)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: Any) -> bool:
    """Learn what each test passes, then fork once per mutant."""
    if session.config.option.collectonly:
        return True
    if session.testsfailed or not session.config.getoption("--mutate"):
        raise pytest.UsageError("tests that cannot be collected, or no module to change")
    files = _files(session.config.getoption("--mutate"))
    mutants = [one for file in files for one in mutants_of(file)]
    if session.config.getoption("--mutate-again"):
        survivors = set(_read("survivors", []))
        mutants = [one for one in mutants if _name(one) in survivors]
    began = time.monotonic()
    reach = _learn(session, files)
    connections.close_all()  # none is shared with a fork
    world = World(files)
    gc.freeze()
    reach.leave_out(_unsteady(session, reach, world))
    results = _run(session, mutants, reach, world)
    _report(session, results)
    session.config.get_terminal_writer().line(f"{(time.monotonic() - began) / 60:.1f} minutes")
    return True


def _files(named: list[str]) -> list[Path]:
    found: list[Path] = []
    for name in named:
        path = Path(name).resolve()
        found += sorted(path.glob("*.py")) if path.is_dir() else [path]
    return [file for file in found if file.name != "__init__.py"]


class _Next:
    """The test that follows, as far as pytest asks: what belongs to the session stays set up."""

    def __init__(self, item: Any) -> None:
        self.session = item.session

    def listchain(self) -> list[Any]:
        """What stays."""
        return [self.session]


class Reach:
    """Which tests pass which lines, and how long each takes."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, int], set[int]] = defaultdict(set)
        self.took: dict[int, float] = {}

    def tests(self, lines: Any) -> list[int]:
        """The tests that pass one of these lines, the quickest first."""
        found = {number for line in lines for number in self.lines.get(line, ())}
        return sorted(found, key=lambda number: self.took[number])

    def leave_out(self, numbers: list[int]) -> None:
        """Let these tests judge nothing."""
        for number in numbers:
            del self.took[number]
        for passed in self.lines.values():
            passed.difference_update(numbers)


def _learn(session: Any, files: list[Path]) -> Reach:
    """Run every test once, as if it were the first. Raises when one fails unchanged."""
    wanted, reach = {str(file) for file in files}, Reach()
    for file in files:
        import_module(_path(file).removesuffix(".py").replace("/", "."))
    memories = Memories()
    for number, item in enumerate(session.items):
        passed: set[tuple[str, int]] = set()

        def line(frame: Any, event: str, arg: Any, passed: Any = passed) -> Any:
            if event == "line":
                passed.add((frame.f_code.co_filename, frame.f_lineno))
            return line

        def call(frame: Any, event: str, arg: Any, line: Any = line) -> Any:
            return line if frame.f_code.co_filename in wanted else None

        memories.forget()
        began = time.process_time()
        sys.settrace(call)
        reports = runtestprotocol(item, log=False, nextitem=_Next(item))
        sys.settrace(None)
        reach.took[number] = time.process_time() - began
        if any(report.failed for report in reports):
            said = next(report.longreprtext for report in reports if report.failed)
            raise pytest.UsageError(f"{item.nodeid} fails without any change:\n{said}")
        for one in passed:
            reach.lines[one].add(number)
    return reach


def _unsteady(session: Any, reach: Reach, world: World) -> list[int]:
    """The tests that fail in a forked process without any change: they would notice everything."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_quiet()
        world.memories.forget()
        for number in sorted(reach.took):
            if _fails(session.items[number]):
                os.write(into, f"{number} ".encode())
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as told:
        numbers = [int(number) for number in told.read().split()]
    if os.waitpid(pid, 0)[1]:
        raise pytest.UsageError("the tests cannot be run in a forked process")
    for number in numbers:
        print(f"judges nothing: {session.items[number].nodeid}", file=sys.stderr, flush=True)
    return numbers


def _be_quiet() -> None:
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)


def _fails(item: Any) -> bool:
    try:
        return any(report.failed for report in runtestprotocol(item, log=False, nextitem=_Next(item)))
    except BaseException:
        return True


def _run(session: Any, mutants: list[Mutant], reach: Reach, world: World) -> list[tuple[Mutant, int]]:
    most, killers = session.config.getoption("--mutate-at-once"), _read("killers", {})
    numbers = {item.nodeid: number for number, item in enumerate(session.items)}
    running: dict[int, tuple[Mutant, int]] = {}
    results: list[tuple[Mutant, int]] = []

    def collect() -> None:
        pid, status = os.wait()
        mutant, pipe = running.pop(pid)
        code = os.waitstatus_to_exitcode(status)
        results.append((mutant, KILLED if code < 0 else code))
        if code == SURVIVED:
            print(_name(mutant), file=sys.stderr, flush=True)
        if told := os.read(pipe, 4096).decode():
            killers[_name(mutant)] = told
        os.close(pipe)

    for place, mutant in enumerate(mutants):
        if place % 200 == 0:
            print(f"{place} of {len(mutants)}", file=sys.stderr, flush=True)
            _write("killers", killers)
        tests = reach.tests(world.lines_of(mutant))
        if altered := world.tables(mutant):
            naming = (n for n in reach.took if altered & set(session.items[n].function.__code__.co_names))
            tests = sorted({*tests, *naming}, key=lambda number: reach.took[number])
        if not tests and not mutant.owner:  # a table that only modules read which are not changed
            tests = sorted(reach.took, key=lambda number: reach.took[number])
        if not tests:
            results.append((mutant, SURVIVED))
            continue
        first = numbers.get(killers.get(_name(mutant), ""))
        if first in tests:
            tests = [first, *(one for one in tests if one != first)]
        while len(running) >= most:
            collect()
        out, into = os.pipe()
        pid = os.fork()
        if pid == 0:
            os._exit(_child(session, mutant, tests, reach, world, into))
        os.close(into)
        running[pid] = (mutant, out)
    while running:
        collect()
    _write("killers", {**_read("killers", {}), **killers})
    tried = {_path(mutant.file) for mutant in mutants}
    others = [name for name in _read("survivors", []) if name.split(" | ")[0] not in tried]
    _write("survivors", others + [_name(mutant) for mutant, code in results if code == SURVIVED])
    return results


def _child(session: Any, mutant: Mutant, tests: list[int], reach: Reach, world: World, into: int) -> int:
    """Apply the mutant and run its tests until one fails. A test that never ends counts as one that fails."""
    _be_quiet()
    try:
        if not world.apply(mutant):
            return NOT_APPLIED
    except Unmade:
        return KILLED
    except Exception:
        return NOT_APPLIED
    for number in tests:
        item = session.items[number]
        signal.setitimer(signal.ITIMER_PROF, 5 + 10 * reach.took[number])
        signal.setitimer(signal.ITIMER_REAL, LONGEST_WAIT)
        if _fails(item):
            os.write(into, item.nodeid.encode())
            return KILLED
    return SURVIVED


def _report(session: Any, results: list[tuple[Mutant, int]]) -> None:
    argued = _argued(Path(session.config.getoption("--mutate-argued")))
    say = session.config.get_terminal_writer().line
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    results.sort(key=lambda one: (one[0].file, one[0].line, one[0].what))
    say("")
    for mutant, code in results:
        counts[_path(mutant.file)][code] += 1
        if code == SURVIVED:
            known = "argued  " if _name(mutant) in argued else "SURVIVED"
            say(f"{known} {_path(mutant.file)}:{mutant.line} {mutant.text} | {mutant.what}")
        elif code == NOT_APPLIED:
            say(f"LEFT OUT {_path(mutant.file)}:{mutant.line} {mutant.text} | {mutant.what}")
    say("")
    total: Counter[int] = Counter()
    for name, count in counts.items():
        total.update(count)
        say(f"{name:<40} {_share(count)}")
    say(f"{'total':<40} {_share(total)}")
    unargued = sum(code == SURVIVED and _name(mutant) not in argued for mutant, code in results)
    say(f"survivors not argued: {unargued}; changes that could not be made: {total[NOT_APPLIED]}")
    if 100 * total[KILLED] < session.config.getoption("--mutate-least") * (total[KILLED] + total[SURVIVED]):
        session.testsfailed = 1


def _share(count: Counter[int]) -> str:
    all_ = count[KILLED] + count[SURVIVED]
    return f"{count[KILLED]:>5} / {all_:<5} = {100 * count[KILLED] / (all_ or 1):5.1f} %"


def _path(file: Path) -> str:
    return str(file.relative_to(Path.cwd()))


def _name(mutant: Mutant) -> str:
    """A mutant by what it changes, so that lines above it may move."""
    return f"{_path(mutant.file)} | {mutant.text} | {mutant.what}"


def _argued(file: Path) -> set[str]:
    """Survivors with a reason: `module | line | change | why`."""
    if not file.exists():
        return set()
    lines = (line.split(" | ") for line in file.read_text().splitlines())
    return {" | ".join(part.strip() for part in line[:3]) for line in lines if len(line) > 3}


def _read(name: str, otherwise: Any) -> Any:
    file = KEPT / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else otherwise


def _write(name: str, what: Any) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps(what, indent=0, sort_keys=True))
