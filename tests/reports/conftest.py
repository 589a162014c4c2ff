import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sample():
    """The module of sample results; tests are not a package, so it is loaded by its path."""
    path = Path(__file__).with_name("sample.py")
    spec = importlib.util.spec_from_file_location("reports_sample", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
