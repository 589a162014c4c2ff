"""What is looked for in recovered mail beside what the ledger says: by checkers of packages."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, SerializeAsAny, WrapValidator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from scenarios.fields import Strict
from scenarios.hooks import Brought, settings_of


class OwnChecker(Strict):
    """A checker that another package brings; its model adds the keys."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    kind: str = Field(description="Which checker, by the name that its package gives it.")
    refuses: bool = Field(
        default=True,
        description="Whether a recovery in which it finds something has failed; else its findings "
        "are only counted.",
    )


def _own(read: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Lets the package that brings a kind answer for its keys."""
    if isinstance(read, dict) and "kind" in read:
        return settings_of(read, "checker", OwnChecker, ())
    return handler(read)


if TYPE_CHECKING:
    Checker = OwnChecker
else:
    Checker = SerializeAsAny[
        Annotated[OwnChecker, WrapValidator(_own), Brought("checker", OwnChecker)]
    ]
