"""The tables of a store, named as Exchange names them, and the folders that every mailbox has.

What is modelled after the product: one table of mailboxes, of folders and of messages each, and
folder views as secondary indexes of the table that says which messages a folder shows. What is an
assumption: the columns. Exchange names most of its own by property tags, and no source lists which
properties of 2003 or 2007 are columns, so those here have plain names. Only ASCII text can be
normalised into a key, so views by sender and subject sort by a short ASCII form of them.
"""

from emulators.ese.formats.schema import ColumnType, TableDefinition, build_index, build_table

ROOT_FOLDER = "Top of Information Store"
INBOX = "Inbox"
OUTBOX = "Outbox"
SENT_ITEMS = "Sent Items"
DELETED_ITEMS = "Deleted Items"
DRAFTS = "Drafts"
CALENDAR = "Calendar"

NOTE_FOLDER = "IPF.Note"
SPECIAL_FOLDERS = (
    (INBOX, NOTE_FOLDER),
    (OUTBOX, NOTE_FOLDER),
    (SENT_ITEMS, NOTE_FOLDER),
    (DELETED_ITEMS, NOTE_FOLDER),
    (DRAFTS, NOTE_FOLDER),
    (CALENDAR, "IPF.Appointment"),
    ("Contacts", "IPF.Contact"),
    ("Journal", "IPF.Journal"),
    ("Notes", "IPF.StickyNote"),
    ("Tasks", "IPF.Task"),
)
"""The folders under the root of a new mailbox, with their container classes."""

FOLDER_NAMES = tuple(name for name, _ in SPECIAL_FOLDERS)
PATH_SEPARATOR = "/"
RECIPIENT_SEPARATOR = "\n"
VIEW_KEY_LENGTH = 40

VIEW_RECEIVED = "ByReceived"
VIEW_SENDER = "BySender"
VIEW_SUBJECT = "BySubject"
VIEW_UNREAD = "ByUnread"
BY_DELETED = "ByDeleted"
BY_MAILBOX = "ByMailbox"

GLOBAL = build_table(
    "Global",
    (
        ("GlobalId", ColumnType.LONG),
        ("SchemaVersion", ColumnType.LONG),
        ("MailboxIdLimit", ColumnType.LONG),
        ("FolderIdLimit", ColumnType.LONG),
        ("InstanceIdLimit", ColumnType.LONG),
        ("MessageIdLimit", ColumnType.LONG),
    ),
    ("GlobalId",),
)
"""One row: up to where ids have been given out, in ranges, so that none is ever given twice."""

MAILBOX = build_table(
    "Mailbox",
    (
        ("MailboxId", ColumnType.LONG),
        ("MessageCount", ColumnType.LONG),
        ("MessageBytes", ColumnType.CURRENCY),
        ("DeletedCount", ColumnType.LONG),
        ("DeletedBytes", ColumnType.CURRENCY),
        ("Name", ColumnType.TEXT),
    ),
    ("MailboxId",),
)

FOLDERS = build_table(
    "Folders",
    (
        ("FolderId", ColumnType.LONG),
        ("MailboxId", ColumnType.LONG),
        ("ParentId", ColumnType.LONG),
        ("MessageCount", ColumnType.LONG),
        ("UnreadCount", ColumnType.LONG),
        ("MessageBytes", ColumnType.CURRENCY),
        ("DeletedCount", ColumnType.LONG),
        ("DeletedBytes", ColumnType.CURRENCY),
        ("Name", ColumnType.TEXT),
        ("ContainerClass", ColumnType.TEXT),
    ),
    ("FolderId",),
    indexes=(build_index(BY_MAILBOX, ("MailboxId", "ParentId")),),
)
"""`ParentId` is 0 for the root of a mailbox. Counts leave out what is in the dumpster."""

MSG = build_table(
    "Msg",
    (
        ("InstanceId", ColumnType.LONG),
        ("ReferenceCount", ColumnType.LONG),
        ("AttachmentCount", ColumnType.LONG),
        ("CcCount", ColumnType.LONG),
        ("Size", ColumnType.LONG),
        ("Sent", ColumnType.CURRENCY),
        ("StartTime", ColumnType.CURRENCY),
        ("EndTime", ColumnType.CURRENCY),
        ("MessageClass", ColumnType.TEXT),
        ("Sender", ColumnType.LONG_TEXT),
        ("Recipients", ColumnType.LONG_TEXT),
        ("Subject", ColumnType.LONG_TEXT),
        ("InternetMessageId", ColumnType.LONG_TEXT),
        ("Body", ColumnType.LONG_BINARY),
        ("HtmlBody", ColumnType.LONG_BINARY),
        ("MimeContent", ColumnType.LONG_BINARY),
    ),
    ("InstanceId",),
)
"""One row for each message of the database, however many folders show it (single instance)."""

MSG_FOLDER_INDEX = build_table(
    "MsgFolderIndex",
    (
        ("FolderId", ColumnType.LONG),
        ("MessageId", ColumnType.LONG),
        ("InstanceId", ColumnType.LONG),
        ("Size", ColumnType.LONG),
        ("Received", ColumnType.CURRENCY),
        ("IsRead", ColumnType.BIT),
        ("Deleted", ColumnType.CURRENCY),
        ("SenderKey", ColumnType.TEXT),
        ("SubjectKey", ColumnType.TEXT),
    ),
    ("FolderId", "MessageId"),
    indexes=(
        build_index(VIEW_RECEIVED, ("FolderId", "Received")),
        build_index(VIEW_SENDER, ("FolderId", "SenderKey")),
        build_index(VIEW_SUBJECT, ("FolderId", "SubjectKey")),
        build_index(VIEW_UNREAD, ("FolderId", "IsRead")),
        build_index(BY_DELETED, ("Deleted",), nulls=False),
    ),
)
"""One row for each message of each folder. `Deleted` is the time at which it went to the dumpster,
NULL for what the folder shows. `MessageId` stays with a message that is moved."""

ATTACHMENTS = build_table(
    "Attachments",
    (
        ("InstanceId", ColumnType.LONG),
        ("Number", ColumnType.LONG),
        ("Size", ColumnType.LONG),
        ("Name", ColumnType.LONG_TEXT),
        ("Content", ColumnType.LONG_BINARY),
    ),
    ("InstanceId", "Number"),
)

PER_USER_READ = build_table(
    "PerUserRead",
    (
        ("MailboxId", ColumnType.LONG),
        ("FolderId", ColumnType.LONG),
        ("ChangeCount", ColumnType.LONG),
        ("LastChange", ColumnType.CURRENCY),
    ),
    ("MailboxId", "FolderId"),
)
"""When a user last changed what counts as read in a folder."""

STORE_TABLES: tuple[TableDefinition, ...] = (
    GLOBAL,
    MAILBOX,
    FOLDERS,
    MSG,
    MSG_FOLDER_INDEX,
    ATTACHMENTS,
    PER_USER_READ,
)


def view_key(text: str) -> str:
    """Return what a folder view sorts a text by: its first characters, others than ASCII as '?'.

    Control characters and the zero that ends a key segment are '?' too.
    """
    short = text[:VIEW_KEY_LENGTH].encode("ascii", "replace").decode("ascii")
    return "".join(letter if letter.isprintable() else "?" for letter in short)
