"""Where the mail of a run comes from: a user profile, an archive, or an administrator's logs."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SerializeAsAny,
    StringConstraints,
    Tag,
    WrapValidator,
    model_validator,
)
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from scenarios.fields import Share, Size, Strict, refusal, setting
from scenarios.hooks import Brought, settings_of

PROFILES_OF_VERSION = {
    2003: ("light", "average", "heavy", "large"),
    2007: ("light", "average", "heavy", "very_heavy", "extra_heavy"),
}
"""The user profiles that each version of Exchange was sized by (exchange.md 5.2, 5.3)."""
MESSAGES_MAX = 10_000
MESSAGE_BYTES_MIN, MESSAGE_BYTES_MAX = 2 * 2**10, 5 * 2**20

HOURS = 24
HOURS_SUM_TOLERANCE = 0.01
"""How far from 100 % the hours may sum up: what rounding each to a tenth or so can explain."""

ProfileName = Literal["light", "average", "heavy", "very_heavy", "extra_heavy", "large"]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=4_096)]


def _check_mean(size_bytes: int) -> int:
    if not MESSAGE_BYTES_MIN <= size_bytes <= MESSAGE_BYTES_MAX:
        message = f"a mean message size of {size_bytes:,} bytes is out of range"
        raise refusal(message, "write between '2 KiB' and '5 MiB'")
    return size_bytes


def _check_count(read: object) -> object:
    if isinstance(read, tuple) and len(read) != HOURS:
        message = f"{len(read)} hours are written; a day has 24"
        raise refusal(message, "write 24 percentages, that of 00:00 to 01:00 first")
    return read


def _check_sum(hours: tuple[float, ...]) -> tuple[float, ...]:
    total = sum(hours)
    if abs(total - 1) > HOURS_SUM_TOLERANCE:
        message = f"the hours sum up to {total * 100:.6g} %"
        raise refusal(message, "write 24 percentages that sum up to '100 %'")
    return hours


Hours = Annotated[
    tuple[Share, ...],
    BeforeValidator(_check_count),
    AfterValidator(_check_sum),
]


class MailProfile(Strict):
    """How much mail each mailbox sends and receives in a day, in figures of your own."""

    sent: int = Field(
        description="Messages that a mailbox sends in a day, in the mean.",
        examples=[25],
        ge=0,
        le=MESSAGES_MAX,
    )
    received: int = Field(
        description="Messages that a mailbox receives in a day, in the mean.",
        examples=[100],
        ge=0,
        le=MESSAGES_MAX,
    )
    size_bytes: Annotated[Size, AfterValidator(_check_mean)] = setting(
        "50 KiB", key="size", description="Mean size of a message."
    )
    hours: Hours | None = Field(
        None,
        description="Share of the day's mail in each hour, from 00:00 on: 24 percentages that sum "
        "up to 100 %. A sum within one point of it is scaled to 100 %, with a warning. Left out, "
        "the day has the two humps of office hours.",
        examples=["[0 %, ...]"],
        json_schema_extra={"minItems": HOURS, "maxItems": HOURS},
    )

    @model_validator(mode="after")
    def _check_some_mail(self) -> "MailProfile":
        if self.sent == self.received == 0:
            raise refusal("nobody sends or receives mail", "write for example 'received: 100'")
        return self


def _profile_kind(read: Any) -> str:
    return "figures" if isinstance(read, dict | MailProfile) else "name"


Profile = Annotated[
    Annotated[ProfileName, Tag("name")] | Annotated[MailProfile, Tag("figures")],
    Discriminator(_profile_kind),
]


class Workload(Strict):
    """Your own mail, or its log volume, in place of mail by the profile alone; exactly one."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["mbox"]},
                {"required": ["tracking_log"]},
                {"required": ["log_stats", "database"]},
            ]
        }
    )

    mbox: FileName | None = Field(
        None,
        description="An mbox archive, relative to the scenario file; its mail is replayed.",
        examples=["mail/2007-06.mbox"],
    )
    tracking_log: FileName | None = Field(
        None,
        description="A message tracking log of Exchange 2007 or later, or a folder of them, "
        "relative to the scenario file: each delivery to a mailbox is replayed at its time and "
        "size, with drawn text. The first recipients are the mailboxes.",
        examples=["logs/MessageTracking"],
    )
    log_stats: FileName | None = Field(
        None,
        description="The LogStats.csv of GetTransactionLogStats.ps1, relative to the scenario "
        "file: mail by the profile, as often as makes that many transaction logs in each hour of "
        "the day.",
        examples=["LogStats.csv"],
    )
    database: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = Field(
        None,
        description="The database (of Exchange 2007: the storage group) in the log statistics.",
        examples=["First Storage Group"],
    )


class OwnWorkload(Strict):
    """Mail that another package brings; its model adds the keys."""

    kind: str


def _files_or_own(read: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Lets the package that brings a kind answer for its keys."""
    if isinstance(read, dict) and "kind" in read:
        return settings_of(read, "workload", OwnWorkload, ())
    return handler(read)


if TYPE_CHECKING:
    AnyWorkload = Workload | OwnWorkload
else:
    AnyWorkload = SerializeAsAny[
        Annotated[Workload, WrapValidator(_files_or_own), Brought("workload", OwnWorkload)]
    ]
