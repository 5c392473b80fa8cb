"""The journal gives back what was written whole, and nothing else."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from cloche.engines.objects.filesystem.frames import PAGE_BYTES
from cloche.engines.objects.filesystem.journal import DiskFile, Journal, JournalDamaged
from tests.engines.objects.filesystem.faults import FaultyDisk

SEGMENT_BYTES = 16 * PAGE_BYTES

Frames = list[tuple[int, bytes, bytes]]


def opened(directory: Path, open_file: type[DiskFile] | FaultyDisk = DiskFile) -> Journal:
    return Journal(directory, segment_bytes=SEGMENT_BYTES, open_file=open_file)


def written(directory: Path, numbers: Sequence[int]) -> Frames:
    frames: Frames = []
    journal = opened(directory)
    list(journal.recover(10**9))
    for number in numbers:
        entries, bodies = b"entries %d" % number, [b"body" * number, b"", b"\0" * 5]
        journal.append(number, entries, bodies)
        frames.append((number, entries, b"".join(bodies)))
    journal.close()
    return frames


def recovered(directory: Path, after: int = 0) -> Frames:
    journal = opened(directory)
    return [(f.number, f.entries, bytes(f.bodies)) for f in journal.recover(after)]


def test_frames_come_back_in_order_over_many_segments(tmp_path: Path) -> None:
    frames = written(tmp_path, range(1, 60))
    assert len(list(tmp_path.iterdir())) > 3
    assert recovered(tmp_path) == frames
    assert recovered(tmp_path, after=37) == frames[37:]
    assert recovered(tmp_path, after=59) == []


def test_the_tail_cut_off_at_every_byte(tmp_path: Path) -> None:
    frames = written(tmp_path / "whole", range(1, 4))
    (segment,) = (tmp_path / "whole").iterdir()
    content = segment.read_bytes()
    copy = tmp_path / "cut"
    copy.mkdir()
    for frame in frames:
        for length in range(frame[0] * PAGE_BYTES, _end(frame) + 2):
            (copy / "0000").write_bytes(content[:length])
            assert recovered(copy) == [f for f in frames if _end(f) <= length]


def test_every_byte_of_the_last_frames_changed(tmp_path: Path) -> None:
    frames = written(tmp_path / "whole", range(1, 4))
    (segment,) = (tmp_path / "whole").iterdir()
    content = segment.read_bytes()
    copy = tmp_path / "changed"
    copy.mkdir()
    for frame in frames[1:]:
        for offset in range(frame[0] * PAGE_BYTES, _end(frame)):
            changed = bytearray(content)
            changed[offset] ^= 0x41
            (copy / "0000").write_bytes(changed)
            assert recovered(copy) == frames[: frame[0] - 1]


def _end(frame: tuple[int, bytes, bytes]) -> int:
    """Where a frame ends (each starts on the page of its number)."""
    return frame[0] * PAGE_BYTES + 32 + len(frame[1]) + len(frame[2])


def test_a_used_segment_gives_no_old_frames(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for number in range(1, 100):
        journal.prepare_spare()
        journal.append(number, b"old", [bytes([number]) * PAGE_BYTES])
        journal.recycle(number - 4)
    journal.close()
    assert len(list(tmp_path.iterdir())) <= 4
    for after in range(95, 100):
        numbers = [number for number, _, _ in recovered(tmp_path, after)]
        assert numbers == list(range(after + 1, 100))


def test_a_segment_of_which_only_the_header_was_written(tmp_path: Path) -> None:
    frames = written(tmp_path, range(1, 20))
    newest = max(tmp_path.iterdir())
    content = newest.read_bytes()
    newest.write_bytes(content[:PAGE_BYTES] + bytes(len(content) - PAGE_BYTES))
    kept = recovered(tmp_path)
    assert 0 < len(kept) < len(frames) and kept == frames[: len(kept)]
    newest.write_bytes(bytes(len(content)))
    assert recovered(tmp_path) == kept


def test_a_hole_in_the_middle_is_reported(tmp_path: Path) -> None:
    written(tmp_path, range(1, 60))
    first, second = sorted(tmp_path.iterdir())[:2]
    content = bytearray(second.read_bytes())
    content[2 * PAGE_BYTES] ^= 1
    second.write_bytes(content)
    with pytest.raises(JournalDamaged):
        recovered(tmp_path)
    first.unlink()
    with pytest.raises(JournalDamaged):
        recovered(tmp_path)


def test_a_body_that_looks_like_a_frame_is_not_taken_for_one(tmp_path: Path) -> None:
    """A frame copied from the journal itself, where the next one would be."""
    journal = opened(tmp_path / "a")
    journal.append(1, b"entries", [])
    journal.append(2, b"forged", [])
    journal.close()
    (segment,) = (tmp_path / "a").iterdir()
    forged = segment.read_bytes()[2 * PAGE_BYTES : 3 * PAGE_BYTES]
    journal = opened(tmp_path / "b")
    padding = PAGE_BYTES - 32 - len(b"entries")
    journal.append(1, b"entries", [bytes(padding), forged])
    journal.rewind()
    journal.append(1, b"entries", [])
    journal.close()
    assert recovered(tmp_path / "b") == [(1, b"entries", b"")]


def test_a_frame_larger_than_a_segment(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(1, b"small", [])
    journal.append(2, b"large", [bytes(2 * SEGMENT_BYTES)])
    journal.append(3, b"small", [])
    journal.recycle(2)
    journal.append(4, b"small", [])
    journal.close()
    assert [number for number, _, _ in recovered(tmp_path, after=2)] == [3, 4]


@pytest.mark.parametrize("step", ["write", "half", "sync", "open"])
def test_a_failed_frame_leaves_no_trace(tmp_path: Path, step: str) -> None:
    disk = FaultyDisk()
    journal = opened(tmp_path, disk)
    number, expected = 1, list[int]()
    for attempt in range(60):
        disk.fail(step if attempt % 3 == 2 else None, errno.ENOSPC)
        body = b"%d" % attempt * (1 + attempt % 7 * 1000)
        try:
            journal.append(number, b"attempt %d" % attempt, [body])
        except OSError as error:
            assert error.errno == errno.ENOSPC
            continue
        expected.append(attempt)
        number += 1
    journal.close()
    frames = recovered(tmp_path)
    assert [frame[1] for frame in frames] == [b"attempt %d" % attempt for attempt in expected]
    assert len(expected) >= 40


def test_a_frame_taken_back_is_written_over(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    number = 1
    for attempt in range(40):
        journal.append(number, b"%d" % attempt, [bytes(attempt % 5 * 2000)])
        if attempt % 2:
            journal.rewind()
        else:
            number += 1
    journal.close()
    assert [entries for _, entries, _ in recovered(tmp_path)][:20] == [
        b"%d" % attempt for attempt in range(0, 40, 2)
    ]


def test_segments_are_prepared_and_kept_within_bounds(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(1, b"", [])
    journal.prepare_spare()
    journal.prepare_spare()
    assert len(list(tmp_path.iterdir())) == 2
    for number in range(2, 200):
        journal.append(number, b"", [])
    assert journal.full_segments > 5
    journal.recycle(199)
    assert journal.full_segments == 0
    assert len(list(tmp_path.iterdir())) <= 3
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())
    journal.close()
    shutil.rmtree(tmp_path)
