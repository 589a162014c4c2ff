"""What an integrity check finds: one broken rule at one page, told as a sentence."""

from collections import Counter
from enum import StrEnum
from typing import NamedTuple


class Rule(StrEnum):
    """The rules of ese-format.md D, E and F, by what they are about."""

    CHECKSUM = "checksum"
    FREE_SPACE = "free space"
    TAGS = "tags"
    FLAGS = "flags"
    OBJECT = "object"
    KEY_ORDER = "key order"
    KEY_BOUNDS = "key bounds"
    BRANCH = "branch"
    SIBLINGS = "siblings"
    HEIGHT = "height"
    REACHED_TWICE = "reached twice"
    SPACE_HEADER = "space header"
    SPACE = "space"
    CATALOG = "catalog"
    CATALOG_SHADOW = "catalog shadow"
    RECORD = "record"
    INDEX = "index"
    LONG_VALUE = "long value"
    REFERENCE_COUNT = "reference count"


class Finding(NamedTuple):
    """One violation; `pgno` is the page that shows it, or the root of the tree concerned."""

    rule: Rule
    pgno: int
    text: str

    def __str__(self) -> str:
        return f"page {self.pgno}: {self.rule}: {self.text}"


class Findings(list[Finding]):
    """The violations of one check, in the order in which they were met.

    `not_judged` counts by kind what a later engine wrote and no rule known here decides on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.not_judged: Counter[str] = Counter()

    def must(self, holds: object, rule: Rule, pgno: int, text: str) -> bool:
        """Note a violation unless `holds`; return whether it holds."""
        if not holds:
            self.append(Finding(rule, pgno, text))
        return bool(holds)

    def of(self, rule: Rule) -> list[Finding]:
        """Return the violations of one rule."""
        return [finding for finding in self if finding.rule is rule]
