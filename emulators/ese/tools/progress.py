"""The ruler with dots by which eseutil shows how far it is (exchange.md 2.1)."""

_SCALE = """\

          0    10   20   30   40   50   60   70   80   90  100
          |----|----|----|----|----|----|----|----|----|----|
"""
_DOTS = f"          {'.' * 51}\n"
_TITLE_INDENT = 22


def ruler(title: str, *, is_done: bool = True) -> str:
    """Return the ruler of a step, with its dots where it came to its end."""
    return f"{' ' * _TITLE_INDENT}{title} (% complete)\n{_SCALE}{_DOTS if is_done else ''}"
