"""Makes the emulators' test helpers importable by name, wherever the tests run from."""

import sys
from pathlib import Path

for folder in ("ese", "exchange"):
    sys.path.insert(0, str(Path(__file__).parent / folder))
