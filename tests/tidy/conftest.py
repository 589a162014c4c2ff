"""Tests of the pages share how a shown command is run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
