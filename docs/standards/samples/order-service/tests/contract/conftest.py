"""Where contracts are kept."""

import os
from pathlib import Path

import pytest

# Tests tell nobody that they ran.
os.environ["PACT_DO_NOT_TRACK"] = "true"


@pytest.fixture(scope="session")
def pacts() -> Path:
    """The folder of contracts: ours as a consumer, and those of our consumers."""
    return Path(__file__).parents[2] / "pacts"
