r"""Text that came from outside (subjects, mailboxes, evidence), made safe to print.

A subject may hold escape sequences that move the cursor or retitle the window, bidirectional
overrides that reorder the line, lone surrogates, or characters that the output cannot encode:
each of these is written as a visible escape such as \x1b.
"""

import unicodedata

from rich.cells import cell_len, set_cell_size

# Joiners make up letters and emoji; alone they are harmless.
_HARMLESS_FORMAT_CHARACTERS = "\u200c\u200d\ufe0f"
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str, encoding: str = "utf-8") -> str:
    """The text with every unsafe or unencodable character as a visible escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_safe(character, encoding) for character in text)


def _safe(character: str, encoding: str) -> str:
    unsafe = unicodedata.category(character) in _UNSAFE_CATEGORIES
    if unsafe and character not in _HARMLESS_FORMAT_CHARACTERS:
        return character.encode("unicode_escape").decode("ascii")
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return character.encode("unicode_escape").decode("ascii")
    return character


def fitted(text: str, width: int) -> str:
    """The text cut to so many terminal cells (a wide character takes two), with '...' if cut."""
    if cell_len(text) <= width:
        return text
    if width <= 3:
        return set_cell_size(text, width).rstrip()
    return set_cell_size(text, width - 3).rstrip() + "..."
