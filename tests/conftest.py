"""What all tests share."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Benchmarks measure, they do not test: they run when they are asked for, `pytest tests/benchmarks`."""
    asked = any("benchmarks" in argument for argument in config.invocation_params.args)
    return True if collection_path.name == "benchmarks" and not asked else None
