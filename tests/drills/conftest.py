"""One study for all drills, and a way to print the figures."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drills.study import Study


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a drill."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.drill)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """The study, running."""
    made = Study(tmp_path_factory.mktemp("study") / "var")
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Prints a drill's figures in one line."""

    def show(name: str, **numbers: Any) -> None:
        with capsys.disabled():
            print(f"\n{name}: " + ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in numbers.items()))

    return show
