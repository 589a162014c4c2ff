"""How error messages show what was read: shortened, and never raw control characters."""

import difflib
from collections.abc import Iterable

_SHOWN_CHARACTERS_MAX = 60


def quoted(value: object) -> str:
    """Shows a value as read, in quotes when it is text, safe to print on any terminal."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    if len(text) > _SHOWN_CHARACTERS_MAX:
        text = text[: _SHOWN_CHARACTERS_MAX - 3] + "..."
    return f"'{visible(text)}'" if isinstance(value, str) else visible(text)


def visible(text: str) -> str:
    """The text with every character that is not printable as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def listed(names: Iterable[str]) -> str:
    """Joins names for a sentence: 'a, b or c'."""
    items = list(names)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} or {items[-1]}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that the operator most likely meant, or None when none is near."""
    if len(name) > _SHOWN_CHARACTERS_MAX:
        return None
    names = list(known)
    by_case = {candidate.casefold().replace("-", "_"): candidate for candidate in names}
    folded = name.casefold().replace("-", "_").replace(" ", "_")
    if folded in by_case:
        return by_case[folded]
    letters = sorted(folded)
    for candidate, name_known in by_case.items():
        if sorted(candidate) == letters:  # two letters changed places
            return name_known
    matches = difflib.get_close_matches(folded, by_case, n=1, cutoff=0.6)
    return by_case[matches[0]] if matches else None


def suggestion(name: str, known: Iterable[str], *, what: str) -> str:
    """A hint for an unknown name: the likely one, or the list of known ones."""
    names = list(known)
    likely = nearest(name, names)
    if likely is not None:
        return f"did you mean '{likely}'?"
    return f"known {what}: {', '.join(names)}" if names else f"there are no {what} here"
