"""Keeps a document many times, and prints each id once it is kept."""

import sys
from pathlib import Path

from reports import load_document
from reports.store import Origin, new_entry_id, open_store


def main(place, document_path, count):
    document = load_document(Path(document_path))
    with open_store(place, program="rpolab 0.1.0") as store:
        for number in range(int(count)):
            entry_id = new_entry_id()
            say("begins", entry_id)
            store.keep(document, Origin("site-loss", "5c" * 16, number), entry_id)
            say("kept", entry_id)


def say(word, entry_id):
    sys.stdout.write(f"{word} {entry_id}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
