"""How a quantity is written: a number and a unit, and what is said when it is not.

Everything is exact integer arithmetic (`1.5 h` is 5,400,000,000,000 ns; `0.5 ns` is refused).
Each quantity has one spelling of each unit, and every error says what was read and what to write.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from scenarios.wording import nearest, quoted

NUMBER = r"[0-9]{1,30}(?:\.[0-9]{1,30})?"
_PART = re.compile(rf"\s*({NUMBER})\s*([^\s\d.,]+)")


class QuantityError(ValueError):
    """A quantity cannot be read; the message says what was read, `hint` what would be right."""

    def __init__(self, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one kind of quantity is written.

    `units` maps each spelling to its worth in base units, `corrections` maps spellings that are
    refused to the unit meant, `ambiguous` says of some of these why they are refused. A compound
    quantity may have several parts (`1 h 30 min`).
    """

    name: str
    base: str
    example: str
    units: Mapping[str, int]
    corrections: Mapping[str, str]
    largest: int
    largest_text: str
    compound: bool = False
    ambiguous: Mapping[str, str] = field(default_factory=dict)

    @property
    def pattern(self) -> str:
        """A regular expression for editors: what `parse` accepts, save for the limits."""
        units = "|".join(re.escape(unit).replace(r"\ ", " ") for unit in self.units)
        part = rf"{NUMBER} *({units})"
        return rf"^{part}( +{part})*$" if self.compound else rf"^{part}$"

    def parse(self, read: object) -> int:
        """Reads a quantity and returns it in base units.

        Raises:
            QuantityError: not text, no unit, an unknown unit, negative, not whole, or absurd.
        """
        text = self._text(read)
        total = 0
        for number, unit in self._parts(text):
            value = Fraction(number) * self._worth(text, number, unit)
            if value.denominator != 1:
                message = f"{quoted(text)} is not a whole number of {self.base}"
                raise QuantityError(message, f"write {self.name} such as '{self.example}'")
            total += int(value)
        if total > self.largest:
            message = f"{quoted(text)} is more than {self.largest_text}"
            raise QuantityError(message, f"write {self.name} such as '{self.example}'")
        return total

    def _text(self, read: object) -> str:
        if isinstance(read, int | float) and not isinstance(read, bool):
            if read < 0:
                raise QuantityError(*self._negative(read))
            first_unit = self.example.split()[-1]
            message = f"{quoted(read)} has no unit"
            raise QuantityError(message, f"write it with its unit, such as '{read} {first_unit}'")
        if not isinstance(read, str) or not read.strip():
            message = f"{self.name} is expected, read {quoted(read)}"
            raise QuantityError(message, f"write for example '{self.example}'")
        return read.strip()

    def _negative(self, read: object) -> tuple[str, str]:
        return f"{quoted(read)} is negative", f"write {self.name} such as '{self.example}'"

    def _parts(self, text: str) -> list[tuple[str, str]]:
        if text[0] in "-\u2212":
            raise QuantityError(*self._negative(text))
        if re.fullmatch(NUMBER, text):
            unit = self.example.split()[-1]
            raise QuantityError(f"{quoted(text)} has no unit", f"write '{text} {unit}'")
        parts, position = [], 0
        while position < len(text):
            match = _PART.match(text, position)
            if match is None:
                raise QuantityError(f"{quoted(text)} is not {self.name}", self._remedy(text))
            parts.append((match[1], match[2]))
            position = match.end()
        self._check_order(text, parts)
        return parts

    def _remedy(self, text: str) -> str:
        if re.match(r"[0-9]+,[0-9]", text):
            return f"write a point, not a comma: '{text.replace(',', '.')}'"
        return f"write for example '{self.example}'"

    def _check_order(self, text: str, parts: list[tuple[str, str]]) -> None:
        if len(parts) > 1 and not self.compound:
            message = f"{quoted(text)} is more than one quantity"
            raise QuantityError(message, f"write one, such as '{self.example}'")
        worths = [self._worth(text, number, unit) for number, unit in parts]
        if any(later >= earlier for earlier, later in pairwise(worths)):
            message = f"the units of {quoted(text)} are not in falling order"
            raise QuantityError(message, "write the largest unit first, such as '1 h 30 min'")

    def _worth(self, text: str, number: str, unit: str) -> int:
        if unit in self.units:
            return self.units[unit]
        if unit in self.corrections:
            meant = self.corrections[unit]
            hint = meant if " " in meant else f"write '{number} {meant}'"
            fault = self.ambiguous.get(unit, f"is not a unit of {self.name}")
            raise QuantityError(f"'{unit}' in {quoted(text)} {fault}", hint)
        likely = nearest(unit, [known for known in self.units if len(known) > 1])
        known = ", ".join(self.units)
        hint = f"write '{number} {likely}'" if likely else f"units: {known}"
        message = f"{quoted(unit)} in {quoted(text)} is not a unit of {self.name}"
        raise QuantityError(message, hint)
