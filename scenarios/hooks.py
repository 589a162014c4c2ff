"""What other packages bring: faults, workloads, checkers and protections of kinds of their own.

A package names them as entry points of the groups `rpolab.faults`, `rpolab.workloads`,
`rpolab.checkers` and `rpolab.protections`; an entry point's name is the `kind` that scenarios
write. It stands for a class whose attribute `settings` is the pydantic model of the keys. Packages
are looked through when a scenario names a kind that is not rpolab's own, and only the one that
brings it is imported.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from scenarios.fields import Strict, refusal
from scenarios.wording import quoted, suggestion

What = Literal["fault", "workload", "checker", "protection"]
HOOKS: tuple[What, ...] = ("fault", "workload", "checker", "protection")
Settings = TypeVar("Settings", bound=Strict)


class HookError(ValueError):
    """What a package brings cannot be used; the message names it, `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Hook:
    """A kind that a package brings.

    Attributes:
        what: a fault, a workload, a checker or a protection.
        kind: its name in scenarios.
        package: who brings it, with its version.
        maker: the class itself.
        settings: the model of its keys.
    """

    what: What
    kind: str
    package: str
    maker: Any
    settings: type[Strict]

    @property
    def told(self) -> str:
        """What it is and whose, for messages."""
        return _told(self.what, self.kind, self.package)


def group_of(what: What) -> str:
    """The group of entry points that it is looked for in."""
    return f"rpolab.{what}s"


def hook_kinds(what: What) -> tuple[str, ...]:
    """The kinds that installed packages bring, sorted; none of them is imported."""
    return tuple(sorted(entry_points(group=group_of(what)).names))


@cache
def load_hook(what: What, kind: str, base: type[Strict]) -> Hook | None:
    """Imports what a package brings under that kind; None when no package does.

    Args:
        what: a fault, a workload, a checker or a protection.
        kind: its name in scenarios.
        base: the class that the model of its keys must be made from.

    Raises:
        HookError: two packages bring it, or it cannot be imported, or is no such thing.
    """
    found = tuple(entry_points(group=group_of(what), name=kind))
    if not found:
        return None
    packages = [_package(entry) for entry in found]
    if len(found) > 1:
        message = f"the {what} {quoted(kind)} is brought by {' and '.join(sorted(packages))}"
        raise HookError(message, "uninstall all of them but one")
    [entry], [package] = found, packages
    told = _told(what, kind, package)
    try:
        maker = entry.load()
    except Exception as error:  # whatever a module may do wrong while it is imported
        message = f"{told} cannot be loaded: {_reason(error)}"
        raise HookError(message, "repair that package, or uninstall it") from error
    settings = getattr(maker, "settings", None)
    if not (callable(maker) and isinstance(settings, type) and issubclass(settings, base)):
        message = f"{told} is not one: {entry.value} has no 'settings' made from {base.__name__}"
        raise HookError(message, "repair that package, or uninstall it")
    return Hook(what, kind, package, maker, settings)


def settings_of(read: Any, what: What, base: type[Settings], known: Iterable[str]) -> Settings:
    """Reads the keys of a kind that a package brings.

    Args:
        read: a mapping with the key `kind`, which is none of rpolab's own.
        what: a fault, a workload, a checker or a protection.
        base: the class that the model of its keys must be made from.
        known: rpolab's own kinds, for the hint when no package brings it.

    Raises:
        PydanticCustomError: no package brings it, or it cannot be used.
        ValidationError: a key is wrong.
    """
    kind = read["kind"]
    try:
        hook = load_hook(what, kind, base) if isinstance(kind, str) else None
        if hook is None:
            hint = suggestion(str(kind), (*known, *hook_kinds(what)), what="kinds")
            raise refusal(f"{quoted(kind)} is not a kind of {what}", hint, at="kind")
        settings: Settings = _validated(hook, read)
    except HookError as error:
        raise refusal(str(error), error.hint, at="kind") from error
    return settings


def _validated(hook: Hook, read: Any) -> Any:
    """Whatever the package's model does wrong, it is told as its fault."""
    try:
        return hook.settings.model_validate(read)
    except ValidationError:
        raise
    except Exception as error:
        message = f"{hook.told} cannot read its keys: {_reason(error)}"
        raise HookError(message, "repair that package, or uninstall it") from error


@dataclass(frozen=True, slots=True)
class Brought:
    """Marks a place of the language where a package may bring the kind.

    Attributes:
        what: a fault, a workload, a checker or a protection.
        base: the class that the model of its keys must be made from.
    """

    what: What
    base: type[Strict]

    def model(self, kind: object) -> type[Strict] | None:
        """The model of a kind's keys, None where there is none that can be used."""
        try:
            hook = load_hook(self.what, kind, self.base) if isinstance(kind, str) else None
        except HookError:
            return None
        return None if hook is None else hook.settings


def _told(what: What, kind: str, package: str) -> str:
    return f"the {what} {quoted(kind)} of the package {package}"


def _package(entry: EntryPoint) -> str:
    return "without a name" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
