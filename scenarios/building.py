"""Scenarios from Python: read from a file, written as keywords, and changed.

A changed scenario is read anew as a whole, so that it is as valid as one from a file. Values are
written as in a file, and what a file said keeps its line.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, cast


class Building:
    """How a scenario comes to be; the scenario itself has its values."""

    @classmethod
    def load(cls, name: str | Path, settings: Mapping[str, Any] | None = None) -> Self:
        """Reads a scenario from a file, or from the library by its name.

        Args:
            name: a path, or a name of the library.
            settings: values in place of the file's, by path: `{"link.bandwidth": "5 Mbit/s"}`.

        Raises:
            ScenarioError: every problem of the file, with line, column and a hint.
        """
        from scenarios.loader import load, with_values  # noqa: PLC0415 - the loader needs the model

        loaded = load(name)
        return cast("Self", with_values(loaded, settings) if settings else loaded)

    @classmethod
    def build(cls, *, folder: Path | None = None, **keys: Any) -> Self:
        """Makes a scenario of the keys that a file has, with values written as there.

        Args:
            folder: where relative paths start; the current folder when left out.
            **keys: `title`, `seed`, `duration="1 h"`, `exchange={...}` and so on; what every
                scenario needs and is left out is told.

        Raises:
            ScenarioError: every problem, each with its path.
        """
        from scenarios.loader import parse  # noqa: PLC0415 - the loader needs the model

        return cast("Self", parse(keys, folder=folder))

    def with_(self, **keys: Any) -> Self:
        """The scenario with other values of whole keys; None removes a key.

        Raises:
            ScenarioError: every problem of the changed scenario, each with its path.
        """
        from scenarios.loader import with_keys  # noqa: PLC0415 - the loader needs the model

        return cast("Self", with_keys(cast("Any", self), keys))

    def set(self, path: str, value: Any) -> Self:
        """The scenario with another value at one place, such as `link.bandwidth`.

        Args:
            path: keys, names or numbers of items, with dots; `link` is the only link.
            value: as it would be written in a file.

        Raises:
            ScenarioError: there is no such place, or the changed scenario is wrong.
        """
        from scenarios.loader import with_values  # noqa: PLC0415 - the loader needs the model

        return cast("Self", with_values(cast("Any", self), {path: value}))
