"""What users do with their mail beside sending it, and how often: one table, all assumptions.

No source says what the users behind the sizing tables do (exchange.md 5.3, itself an assumption,
gives only what comes of it: 4.8 bytes of transaction log for each byte of mail sent and received,
and 1.9 times the logs when messages are twice as large). A byte that is received is logged 2.6
times at once: as MIME stream, as the properties that Outlook reads, and if it is text, as HTML
(`html_body`). What is then missing comes of what users do, so the shares here are chosen that
the modelled work, carried out by the store on its tables, makes those logs. Each has its reason;
together they are calibrated, not observed.

A client in cached mode uploads an item whole whenever it was changed: that is why a saved draft
costs the log all of its bytes again, attachments included.
"""

from typing import NamedTuple

__all__ = ["USER_ACTIONS", "USER_LOOKS", "Assumed", "UserActions", "UserLooks"]

NS_PER_MINUTE = 60 * 10**9


class Assumed(NamedTuple):
    """A figure without a source, and why it is what it is."""

    value: float
    unit: str
    reason: str


class UserActions(NamedTuple):
    """The table; shares are of messages, 0 to 1."""

    draft_saves: Assumed = Assumed(
        5.0,
        "per message sent, mean",
        "AutoSave of unsent items comes every three minutes, and a message is open for about a "
        "quarter of an hour while other things are done; calibrated",
    )
    draft_save_interval: Assumed = Assumed(
        3.0, "minutes", "the interval of AutoSave out of the box, from memory"
    )
    draft_saves_most: Assumed = Assumed(
        60.0, "per message sent", "who writes longer than three hours begins anew"
    )
    read_share: Assumed = Assumed(
        0.9, "of messages received", "the rest is deleted or filed unread, or never looked at"
    )
    read_delay: Assumed = Assumed(
        20.0, "minutes, mean", "people look at their mail a few times an hour"
    )
    edit_share: Assumed = Assumed(
        0.8,
        "of messages read",
        "replied and forwarded marks, flags, what rules, add-ins and devices write: the first "
        "change converts the whole message (KB232323, of 2000 and 2003); calibrated",
    )
    delete_share: Assumed = Assumed(
        0.5, "of messages read", "mailboxes grow by less than what they receive"
    )
    file_share: Assumed = Assumed(0.2, "of messages read", "the rest stays in the Inbox")
    fate_delay: Assumed = Assumed(
        2.0, "minutes after reading, mean", "what is done with a message is done when it is read"
    )
    empty_share: Assumed = Assumed(
        0.5, "of messages deleted", "who empties Deleted Items does it when leaving, others never"
    )
    empty_delay: Assumed = Assumed(
        240.0, "minutes after deleting, mean", "half a working day, as people leave"
    )
    appointment_share: Assumed = Assumed(
        0.1, "of messages sent", "about one meeting for ten messages written"
    )
    appointment_size: Assumed = Assumed(
        4096.0, "bytes", "a short text and a place, without attachments"
    )

    def rows(self) -> list[tuple[str, Assumed]]:
        """Return name and figure of each row, to be told in a report."""
        names = (name.replace("_", " ") for name in self._fields)
        return list(zip(names, self, strict=True))


USER_ACTIONS = UserActions()


class UserLooks(NamedTuple):
    """What users do that only reads: all assumptions too.

    `look_ups` and `visits` are calibrated so that light and heavy users of Exchange 2007 read as
    many pages as their rows of exchange.md 5.3 leave beside those that they write; the other rows,
    and those of Exchange 2003 (5.2), follow. They stand for more than people: nobody opens so many
    old messages.
    """

    view_rows: Assumed = Assumed(
        50.0,
        "of the folder for each message read",
        "about a screen: who reads a message has the list of its folder before them",
    )
    look_ups: Assumed = Assumed(
        7.5,
        "messages of the folder, of any age, opened for each message read, mean",
        "searches, scanners, delegates and devices that fetch what has not changed; calibrated",
    )
    visits: Assumed = Assumed(
        13.0,
        "of the mailbox a day without new mail to read, each with its look-ups",
        "logons, devices and searches come once or twice an hour, however little mail there is; "
        "calibrated",
    )


USER_LOOKS = UserLooks()
