"""Whether bytes are worth compressing, told from a sample of them.

Compressing what does not shrink costs more than all checksums on the way of a record together. A
repetition that lies further apart than the pieces of the sample are long is not seen: it is stored
as it is, which loses space and nothing else.
"""

from collections.abc import Sequence

import zstandard

#: Below this, compressing is as cheap as sampling. Assumption, as are the sample's measures.
SAMPLED_BYTES_MIN = 64 << 10
_PIECES = 16
_PIECE_BYTES = 256


def is_compressible(
    compressor: zstandard.ZstdCompressor, parts: Sequence[bytes], length: int
) -> bool:
    """Return whether bytes would shrink to 7/8 or less; what is not sampled, may.

    Args:
        compressor: The one that would compress them.
        parts: The bytes, in parts.
        length: Of all parts together.
    """
    if length < SAMPLED_BYTES_MIN:
        return True
    stride, pieces, position = length // _PIECES, [], 0
    for part in parts:
        # The offset in this part of the next multiple of the stride, and of those after it.
        starts = range(-position % stride, len(part), stride)
        pieces += [part[start : start + _PIECE_BYTES] for start in starts]
        position += len(part)
    sample = b"".join(pieces)
    return len(compressor.compress(sample)) * 8 <= len(sample) * 7
