"""`python -m rpolab`: the command, where the script is not on the path."""

import sys

from rpolab.cli import main

if __name__ == "__main__":
    sys.exit(main())
