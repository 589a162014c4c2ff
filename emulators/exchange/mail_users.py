"""The users of a server: when they write, send, read, file and delete, as a list of things to do.

Arrivals say what is sent when. With `UserActions` a message of a user here is first saved as a
draft, at the intervals of AutoSave before its time; and what is delivered is read, and then
perhaps edited, deleted or filed. Everything else, such as mail of an archive, is submitted as it
comes and then left alone.

Draws of each purpose come from a stream of its own ('users:<name>:...'), so that what users do
with their mail never changes what mail there is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from emulators.exchange.arrivals import NS_PER_DAY, times_of_day
from emulators.exchange.message import APPOINTMENT, Message
from emulators.exchange.store_schema import CALENDAR, INBOX, OUTBOX, SENT_ITEMS
from emulators.exchange.user_actions import NS_PER_MINUTE, Assumed, UserActions, UserLooks
from emulators.exchange.working_day import WORKING_DAY

if TYPE_CHECKING:
    from emulators.exchange.arrivals import Arrival, Send
    from emulators.exchange.changes import Item
    from emulators.exchange.content import ContentPools
    from emulators.exchange.server import ExchangeServer
    from sim.streams import Streams

__all__ = ["FILED", "MailUsers"]

FILED = "Filed"
"""The folder of their own into which users file."""

HOUR_NS = 60 * NS_PER_MINUTE


class MailUsers:
    """The users of one server.

    Args:
        server: its mailboxes are theirs.
        pools: what the mail says.
        arrivals: what is sent when, in order of time.
        now_ns: simulated time.
        streams: for the draws of what users do.
        name: tells the streams of several groups of users apart.
        actions: what users do; None for those who only send.
        looks: what they do that only reads. It changes nothing and takes no time of the disk; None
            where nobody counts the pages that are read.
    """

    def __init__(
        self,
        server: "ExchangeServer",
        pools: "ContentPools",
        arrivals: "Iterator[Arrival]",
        now_ns: Callable[[], int],
        streams: "Streams",
        *,
        name: str,
        actions: UserActions | None,
        looks: UserLooks | None = None,
    ) -> None:
        self._server = server
        self._pools = pools
        self._arrivals = arrivals
        self._now_ns = now_ns
        self._actions = actions
        self._looks = looks
        self._numbers = count()
        self._agenda: list[tuple[int, int, Callable[[], object]]] = []
        self._writing = streams.stream(f"users:{name}:writing")
        self._reading = streams.stream(f"users:{name}:reading")
        self._calendar = streams.stream(f"users:{name}:calendar")
        self._looking = streams.stream(f"users:{name}:looking")
        self._horizon_ns = 0
        if actions is not None:
            longest = actions.draft_saves_most.value * actions.draft_save_interval.value
            self._horizon_ns = round(longest * NS_PER_MINUTE)
        self._next = next(arrivals, None)
        if looks is not None:
            visits = self._visits(looks, streams, name)
            self._at(next(visits), lambda: self._visit(visits, looks))

    def next_ns(self) -> int | None:
        """Return when the next thing is to be done, None when nothing is left."""
        while self._next is not None:
            time_ns, send = self._next
            if self._agenda and self._agenda[0][0] < time_ns - self._horizon_ns:
                break
            self._plan(time_ns, send)
            self._next = next(self._arrivals, None)
        return self._agenda[0][0] if self._agenda else None

    def act(self) -> None:
        """Do the next thing."""
        heappop(self._agenda)[2]()

    def _at(self, time_ns: int, action: Callable[[], object]) -> None:
        heappush(self._agenda, (time_ns, next(self._numbers), action))

    def _later(self, delay: Assumed, mailbox: str, action: Callable[[], None]) -> None:
        """Do something in a mailbox after an exponential delay, whose mean is in minutes."""
        delay_ns = round(self._reading.exponential(delay.value * NS_PER_MINUTE))
        self._in_mailbox(mailbox, self._now_ns() + delay_ns, action)

    def _in_mailbox(self, mailbox: str, time_ns: int, action: Callable[[], None]) -> None:
        """Do something in a mailbox at a time, if its database takes it then."""
        self._at(time_ns, lambda: self._server.attempt(mailbox, action))

    def _plan(self, time_ns: int, send: "Send") -> None:
        actions = self._actions
        is_written_here = send.sender in self._server.mailboxes and send.message is None
        if actions is None or not is_written_here:
            self._at(time_ns, lambda: self._submit(send))
            return
        draft = _Draft(send)
        interval_ns = round(actions.draft_save_interval.value * NS_PER_MINUTE)
        for number in range(self._saves(actions), 0, -1):
            if time_ns >= number * interval_ns:  # what was saved before the run began is not seen
                self._in_mailbox(
                    send.sender, time_ns - number * interval_ns, lambda: self._save(draft)
                )
        self._in_mailbox(send.sender, time_ns, lambda: self._send(draft, actions))

    def _saves(self, actions: UserActions) -> int:
        """Draw how often a message is saved before it is sent: geometric, cut off."""
        chance = actions.draft_saves.value / (1 + actions.draft_saves.value)
        saves = 0
        while saves < actions.draft_saves_most.value and self._writing.chance(chance):
            saves += 1
        return saves

    def _save(self, draft: "_Draft", *, as_stream: bool = False) -> None:
        now_ns = self._now_ns()
        if draft.item is None:
            message = self._pools.message_for(draft.send, now_ns)
        else:
            message = replace(draft.item.message, sent_ns=now_ns)
        mailbox = self._server.mailboxes[draft.send.sender]
        wall_ns = self._server.wall_ns()
        draft.item = self._server.mail_of(mailbox.name).save_draft(
            mailbox, message, wall_ns, draft.item, as_stream=as_stream
        )

    def _send(self, draft: "_Draft", actions: UserActions) -> None:
        """Send: from Drafts through the Outbox to Sent Items, and to the recipients."""
        self._save(draft, as_stream=True)
        item = draft.item
        assert item is not None, "it was just saved"
        mailbox = self._server.mailboxes[item.mailbox]
        for folder in (OUTBOX, SENT_ITEMS):
            self._server.mail_of(mailbox.name).move(mailbox, item, folder)
        self._deliver(item.message, to_sent_items=False)
        if self._calendar.chance(actions.appointment_share.value):
            appointment = self._appointment(item.message, round(actions.appointment_size.value))
            self._server.mail_of(mailbox.name).deliver(
                mailbox, CALENDAR, appointment, self._server.wall_ns(), is_read=True
            )

    def _appointment(self, message: Message, size_bytes: int) -> Message:
        """Return a meeting of an hour within the next days, of which a message has spoken."""
        starts_ns = message.sent_ns + (1 + self._calendar.below(14 * 24)) * HOUR_NS
        segment = message.body[0]
        text = min(segment, size_bytes) if isinstance(segment, int) else segment[:size_bytes]
        return replace(
            message,
            recipients=(message.sender,),
            body=(text,),
            attachments=(),
            message_class=APPOINTMENT,
            starts_ns=starts_ns,
            ends_ns=starts_ns + HOUR_NS,
        )

    def _submit(self, send: "Send") -> None:
        message = self._pools.message_for(send, self._now_ns())
        self._deliver(message, to_sent_items=send.to_sent_items)

    def _deliver(self, message: Message, *, to_sent_items: bool) -> None:
        actions = self._actions
        copies = self._server.submit(
            message, to_sent_items=to_sent_items, as_stream=actions is not None
        )
        if actions is not None:
            for item in copies:
                self._receive(item, actions)

    def _receive(self, item: "Item", actions: UserActions) -> None:
        if self._reading.chance(actions.read_share.value):
            self._later(actions.read_delay, item.mailbox, lambda: self._read(item, actions))

    def _read(self, item: "Item", actions: UserActions) -> None:
        if self._looks is not None:
            self._look(item.mailbox, item.folder, self._looks)
            self._server.mail_of(item.mailbox).open(item.place)
        self._server.mail_of(item.mailbox).set_read(item, self._server.wall_ns())
        if self._reading.chance(actions.edit_share.value):
            self._later(actions.fate_delay, item.mailbox, lambda: self._edit(item))
        fate = self._reading.random()
        if fate < actions.delete_share.value:
            self._later(actions.fate_delay, item.mailbox, lambda: self._delete(item, actions))
        elif fate < actions.delete_share.value + actions.file_share.value:
            self._later(actions.fate_delay, item.mailbox, lambda: self._file(item))

    def _visits(self, looks: UserLooks, streams: "Streams", name: str) -> Iterator[int]:
        """Yield when one of the users visits their mailbox without new mail to read."""
        per_day = looks.visits.value * len(self._server.mailboxes)
        began_ns = self._now_ns()
        visiting = streams.stream(f"users:{name}:visiting")
        for time_ns in times_of_day(visiting, per_day, WORKING_DAY, began_ns % NS_PER_DAY):
            yield began_ns + time_ns

    def _visit(self, visits: Iterator[int], looks: UserLooks) -> None:
        name = self._looking.choice(tuple(self._server.mailboxes))
        self._in_mailbox(name, self._now_ns(), lambda: self._look(name, INBOX, looks))
        self._at(next(visits), lambda: self._visit(visits, looks))

    def _look(self, name: str, folder: str, looks: UserLooks) -> None:
        """View a folder, and look messages of any age in it up."""
        mail, mailbox = self._server.mail_of(name), self._server.mailboxes[name]
        mail.view(mailbox, folder, round(looks.view_rows.value))
        found = mail.view(mailbox, folder)
        if not found:
            return
        chance = looks.look_ups.value / (1 + looks.look_ups.value)
        while self._looking.chance(chance):
            mail.open(self._looking.choice(found).place)

    def _edit(self, item: "Item") -> None:
        if not item.is_deleted:
            self._server.mail_of(item.mailbox).save(item, item.message)

    def _delete(self, item: "Item", actions: UserActions) -> None:
        mailbox = self._server.mailboxes[item.mailbox]
        self._server.mail_of(mailbox.name).delete(mailbox, item, self._server.wall_ns())
        if not item.is_deleted and self._reading.chance(actions.empty_share.value):
            self._later(actions.empty_delay, item.mailbox, lambda: self._delete(item, actions))

    def _file(self, item: "Item") -> None:
        mailbox = self._server.mailboxes[item.mailbox]
        if FILED not in mailbox.folders:
            self._server.mail_of(mailbox.name).create_folder(mailbox, FILED)
        self._server.mail_of(mailbox.name).move(mailbox, item, FILED)


@dataclass(slots=True)
class _Draft:
    """What a user is writing, and where it is once it was saved."""

    send: "Send"
    item: "Item | None" = None
