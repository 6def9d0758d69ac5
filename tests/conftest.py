"""What all tests share."""

import signal
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Tests send signals to children, and a job in the background (nohup, `&`) hands down ignored ones."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Benchmarks measure, they do not test: they run when they are asked for, `pytest tests/benchmarks`."""
    asked = any("benchmarks" in argument for argument in config.invocation_params.args)
    return True if collection_path.name == "benchmarks" and not asked else None
