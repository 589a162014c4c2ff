"""The target's half of a comparison: the hashes of its newest image.

It keeps no state that the comparison depends on: an image, and the hashes of the blocks behind
those of extents that it told last, because where an extent differs they are asked for next.
"""

from collections import OrderedDict

from engine.basics.errors import EngineError, FrameUnexpected, JournalDamaged, PointRefused
from engine.formats.wire import (
    HashAsk,
    ResyncHashes,
    ResyncStanding,
    Stamp,
    encode_resync_hashes,
    encode_resync_standing,
)
from engine.images.image import Image
from engine.journal.journal import Journal
from engine.layers.plan import LayerMap
from engine.resync.hashes import (
    BLOCK_BYTES,
    BLOCK_BYTES_LARGE,
    UNREADABLE_HASH,
    hash_of_extent,
    hashes_of_blocks,
)

#: What one ask may want hashed; far above what a source asks for.
_ASK_BYTES_MAX = 64 << 20
_EXTENT_BYTES_MAX = 16 << 20
#: Extents whose block hashes are kept: 4 KiB each.
_KEPT_MAX = 1_024


class ImageHashes:
    """Answers what a source asks of this journal.

    Args:
        journal: Of the target.
        parent: The layers of the branch that the journal's own began in, if it did in one.
    """

    def __init__(self, journal: Journal, parent: LayerMap | None = None) -> None:
        self.parent = parent
        #: Bytes of images that were hashed.
        self.hashed_bytes = 0
        self._journal = journal
        self._image: Image | None = None
        self._generation = 0  # of the manifest that the image was planned with
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def forget(self) -> None:
        """Let go of the image: a connection has begun or ended."""
        self._image = None
        self._kept.clear()

    def standing(self, stamp: Stamp, version: int) -> bytes:
        """Return the frame that tells an unbased source where this journal ends."""
        standing = self._journal.standing_at(self._journal.durable.sequence)
        return encode_resync_standing(ResyncStanding(stamp, standing), version)

    def reply(self, ask: HashAsk, stamp: Stamp, version: int) -> bytes:
        """Return the frame that answers an ask; raises as `answer`."""
        sequence, hashes = self.answer(ask)
        frame = ResyncHashes(stamp, ask.file, ask.is_detailed, ask.offset, sequence, hashes)
        return encode_resync_hashes(frame, version)

    def answer(self, ask: HashAsk) -> tuple[int, bytes]:
        """Return the sequence of the image, and the hashes that were asked for.

        What cannot be read here differs from everything, so that the source sends it again.

        Raises:
            FrameUnexpected: The ask makes no sense.
        """
        self._check(ask)
        try:
            image = self._image_at(ask.sequence)
            if ask.is_detailed:
                return image.sequence, self._blocks(image, ask, ask.offset)
            return image.sequence, self._extents(image, ask)
        except (JournalDamaged, PointRefused):
            self.forget()
            grain = ask.block_bytes if ask.is_detailed else ask.extent_bytes
            count = -(-ask.length // grain)
            return self._journal.durable.sequence, UNREADABLE_HASH * count

    def _check(self, ask: HashAsk) -> None:
        length_max = ask.extent_bytes if ask.is_detailed else _ASK_BYTES_MAX
        if (
            ask.block_bytes not in (BLOCK_BYTES, BLOCK_BYTES_LARGE)
            or not ask.block_bytes <= ask.extent_bytes <= _EXTENT_BYTES_MAX
            or ask.extent_bytes % ask.block_bytes
            or ask.offset % ask.extent_bytes
            or not 0 < ask.length <= length_max
            or ask.sequence > self._journal.durable.sequence
        ):
            raise FrameUnexpected(
                f"The source asks for hashes of {ask.length} bytes from {ask.offset} on of file "
                f"id {ask.file}, in blocks of {ask.block_bytes}, at sequence {ask.sequence}"
            )

    def _image_at(self, sequence: int) -> Image:
        """Return an image at this sequence or a later one, planned with what is there now."""
        generation = self._journal.manifest.generation
        image = self._image
        if image is None or image.sequence < sequence or generation != self._generation:
            parent = None if self.parent is None else self.parent.refreshed()
            image = Image(self._journal, self._journal.durable.sequence, parent=parent)
            self._image, self._generation = image, generation
            self._kept.clear()
        return image

    def _extents(self, image: Image, ask: HashAsk) -> bytes:
        hashes = []
        for offset in range(ask.offset, ask.offset + ask.length, ask.extent_bytes):
            blocks = self._hash(image, ask, offset)
            if not blocks:
                break
            self._keep(ask.file, offset, blocks)
            hashes.append(hash_of_extent(blocks))
        return b"".join(hashes)

    def _blocks(self, image: Image, ask: HashAsk, offset: int) -> bytes:
        kept = self._kept.pop((ask.file, offset), None)
        return self._hash(image, ask, offset) if kept is None else kept

    def _hash(self, image: Image, ask: HashAsk, offset: int) -> bytes:
        """Return the hashes of the blocks of one extent; none where the file is not there."""
        if ask.file not in image.view.names:
            return b""
        length = min(ask.offset + ask.length - offset, ask.extent_bytes)
        self.hashed_bytes += length
        try:
            return hashes_of_blocks(image.view.read(ask.file, offset, length), ask.block_bytes)
        except EngineError:
            return self._hash_readable(image, ask, offset, offset + length)

    def _hash_readable(self, image: Image, ask: HashAsk, start: int, stop: int) -> bytes:
        """Hash block by block where not all of an extent can be read."""
        hashes = []
        for offset in range(start, min(stop, image.view.size(ask.file)), ask.block_bytes):
            try:
                data = image.view.read(ask.file, offset, min(ask.block_bytes, stop - offset))
                hashes.append(hashes_of_blocks(data, ask.block_bytes))
            except EngineError:
                hashes.append(UNREADABLE_HASH)
        return b"".join(hashes)

    def _keep(self, file: int, offset: int, blocks: bytes) -> None:
        self._kept[file, offset] = blocks
        self._kept.move_to_end((file, offset))
        if len(self._kept) > _KEPT_MAX:
            self._kept.popitem(last=False)
