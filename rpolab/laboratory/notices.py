"""What an operator would have been told during a run: nothing that went wrong stays silent."""

from emulators.vss.requestor import Outcome
from reports import Notice, seconds
from rpolab.protections.base import Protection
from rpolab.protections.cdp import Cdp


def protection_notices(protection: Protection) -> list[Notice]:
    """Return a protection's failures, failed bookmarks and cut journal tails, by time."""
    if not isinstance(protection, Cdp):
        return []
    notices = [
        Notice(at_s=seconds(at_ns), source=f"{copy.name} {end}", text=str(error))
        for copy in protection.copies
        for at_ns, end, error in copy.failures
    ]
    notices += [
        Notice(
            at_s=seconds(bookmark.ended_ns),
            source=f"{protection.name} bookmark",
            text=f"{bookmark.code.name}: {bookmark.problem}",
        )
        for bookmark in protection.bookmarks.results
        if bookmark.outcome is not Outcome.TAKEN
    ]
    notices += [
        Notice(
            at_s=seconds(at_ns),
            source=f"{copy.name} journal",
            text=(
                f"{cut.file}: {cut.bytes_cut} bytes cut after sequence {cut.sequence}"
                f" ({cut.reason})"
            ),
        )
        for copy in protection.copies
        for at_ns, cut in copy.target.tail_cuts
    ]
    notices += [
        Notice(at_s=seconds(at_ns), source=copy.name, text=text)
        for copy in protection.copies
        for at_ns, text in copy.events
    ]
    return sorted(notices, key=lambda notice: notice.at_s)
