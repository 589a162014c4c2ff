"""Makes the emulators' test helpers importable by name, wherever the tests run from."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "emulators" / "ese"))
