"""Model folders for the tests of this room."""

from pathlib import Path

import pytest
from small_tokenizers import NAMES, byte_level, llama, word_piece, write


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model folder for each family of tokenizers."""
    root = tmp_path_factory.mktemp("models")
    return {
        "byte_level": write(root / "byte_level", byte_level(), NAMES),
        "llama": write(root / "llama", llama(), NAMES),
        "word_piece": write(root / "word_piece", word_piece(), NAMES),
    }
