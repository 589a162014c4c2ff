"""A simulated day of some mailboxes of one kind of user, counted and not kept."""

from even_mail import even_day
from mail_world import DATABASE, LOG_BYTES, S, World

from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.running.parameters import CHECKPOINT_DEPTH_BYTES, Parameters
from emulators.ese.trees.page_recency import PageRecency
from emulators.exchange.arrivals import profile_arrivals
from emulators.exchange.content import ContentPools
from emulators.exchange.mail_users import MailUsers
from emulators.exchange.sizes import MessageSizes
from emulators.exchange.store_schema import INBOX
from emulators.exchange.user_actions import USER_ACTIONS
from emulators.exchange.working_day import WORKING_DAY
from rpolab.mail.users import act_as_users
from sim.streams import Streams

FORMATS = {2003: EXCHANGE_2003, 2007: EXCHANGE_2007}
DAY_S = 24 * 3600
HOUR_S = 3600
GROUP_MAILBOXES = 250
"""Mailboxes that share a storage group's checkpoint depth (an assumption)."""


class Forgetful(list):
    """Operations of which none is kept: those of a day are gigabytes."""

    def append(self, operation):
        pass


class MailDay:
    """A day of some mailboxes of one profile in one database, counted and not kept.

    Args:
        profile: the kind of users.
        mailboxes: how many of them.
        seed: of the run.
        old_messages: how many messages are in each Inbox when the day begins.
        cache_bytes: of the database cache for each mailbox; None where reads are not counted.
        looks: what users do that only reads.
        depth_share: of the storage group's checkpoint depth, what these mailboxes have.
        is_even: the day has exactly the profile's mail (`even_mail`), not mail drawn at random.
    """

    def __init__(
        self,
        profile,
        mailboxes,
        *,
        seed=1,
        old_messages=0,
        cache_bytes=None,
        looks=None,
        depth_share=1.0,
        is_even=True,
    ):
        self.is_even = is_even
        self.streams = Streams(seed)
        self.pools = ContentPools(self.streams.stream("content"), sparse=True)
        self.names = self.pools.mailboxes(mailboxes)
        file_format = FORMATS[profile.exchange_version]
        parameters = settings(depth_share, file_format)
        self.world = world = World(seed, mailboxes=self.names, parameters=parameters)
        world.operations = Forgetful()
        self.profile = profile
        self.file = world.group.mounted(DATABASE).file
        if cache_bytes is not None:
            pages = cache_bytes * mailboxes // file_format.page_bytes
            self.file.cache.recency = PageRecency(pages)
        self._receive(old_messages)
        self.log_bytes = 0
        editor = world.group.mounted(DATABASE).editor
        self._log, editor.log = editor.log, self._note
        written, read = self.file.pages_written, self.pages_read
        self._spend_day(looks)
        self.logs_each = self.log_bytes / LOG_BYTES / mailboxes
        self.pages_each = (self.file.pages_written - written) / mailboxes
        self.pages_read_each = (self.pages_read - read) / mailboxes

    @property
    def pages_read(self):
        recency = self.file.cache.recency
        return 0 if recency is None else recency.pages_read

    @property
    def iops_each(self):
        """Pages read and written a second in the busiest hour, by its share of the day."""
        share = WORKING_DAY.share(WORKING_DAY.peak_hour)
        return (self.pages_each + self.pages_read_each) * share / HOUR_S

    @property
    def read_share(self):
        return self.pages_read_each / (self.pages_read_each + self.pages_each)

    def _receive(self, count):
        """Fill each Inbox with old messages, and let their pages come to the disk."""
        if not count:
            return
        world = self.world
        world.spawn(self._deliver_old(count))
        world.run(count * 3 + HOUR_S)

    def _deliver_old(self, count):
        world, server = self.world, self.world.server
        sizes = MessageSizes(self.profile.message_bytes_mean)
        draws = self.streams.stream("old")
        for number in range(count):
            sender = self.pools.correspondents[number % len(self.pools.correspondents)]
            for name in self.names:
                yield from world.group.admit()
                size, now_ns = sizes.draw(draws), server.wall_ns()
                old = self.pools.draw(sender, (name,), size, now_ns)
                mail, mailbox = server.mail_of(name), server.mailboxes[name]
                mail.deliver(mailbox, INBOX, old, now_ns, as_stream=True, is_read=True)
            yield world.kernel.sleep(S)

    def _spend_day(self, looks):
        world = self.world
        began_ns = world.kernel.now_ns
        arrivals = profile_arrivals(
            self.streams, self.profile, self.names, self.pools.correspondents, name="SG1"
        )
        if self.is_even:
            draws = self.streams.stream("even")
            arrivals = iter(even_day(arrivals, self.profile, self.names, draws))
        users = MailUsers(
            world.server,
            self.pools,
            ((began_ns + time_ns, send) for time_ns, send in arrivals),
            lambda: world.kernel.now_ns,
            self.streams,
            name="SG1",
            actions=USER_ACTIONS,
            looks=looks,
        )
        world.spawn(act_as_users(world.kernel, [world.group], users, began_ns + DAY_S * S))
        world.run(DAY_S)

    def _note(self, record):
        self.log_bytes += len(record)
        return self._log(record)

    def told(self):
        return (
            f"{self.logs_each:.2f} logs of 1 MiB for a mailbox and day, "
            f"{self.pages_each:.0f} pages written"
        )


def settings(depth_share, file_format):
    depth = max(round(CHECKPOINT_DEPTH_BYTES * depth_share), file_format.log_bytes)
    return Parameters(file_format=file_format, checkpoint_depth_bytes=depth)
