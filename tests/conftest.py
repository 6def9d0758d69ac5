"""What all tests share."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the box is, not whether the code is right
settings.register_profile("any box", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any box")


def pytest_configure() -> None:
    """Tests send signals to children, and a job in the background (nohup, `&`) hands down ignored ones."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="workbench-state-")


def pytest_unconfigure() -> None:
    """Nothing stays behind."""
    shutil.rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True)


_tests = count()


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every run leaves measurements, which later forecasts are corrected by: one test's not by another's."""
    monkeypatch.setenv("XDG_STATE_HOME", f"{os.environ['XDG_STATE_HOME']}/{next(_tests)}")
    yield


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Benchmarks measure, they do not test: they run when they are asked for, `pytest tests/benchmarks`."""
    asked = any("benchmarks" in argument for argument in config.invocation_params.args)
    return True if collection_path.name == "benchmarks" and not asked else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: no worker is left alone with it at the end."""
    items.sort(key=lambda item: ("/e2e/" not in str(item.path), "/engine/" not in str(item.path)))
