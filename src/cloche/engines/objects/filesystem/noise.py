"""Random bits that guard nothing: names of files and looks of ids.

The kernel's own randomness costs some tens of microseconds a call on virtual machines, which is
more than all else that a small write takes of the processor. One process draws a seed and goes on
from there; 128 bits of a Mersenne twister do not repeat.
"""

from __future__ import annotations

import os
import random

_random = random.Random(os.urandom(32))  # noqa: S311
os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(32)))


def noise(size_bytes: int) -> bytes:
    """So many random bytes."""
    return _random.randbytes(size_bytes)
