import errno
import mmap
import os
from pathlib import Path

import pytest

from joingate.core.errors import RefusedInputError
from joingate.geodb import sealed
from joingate.geodb.sealed import memory_file, seal, sealed_copy


def test_the_copy_is_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc" * (1 << 20))
    with sealed_copy(path) as copy:
        path.write_bytes(b"")
        assert os.pread(copy.fd, 4, (3 << 20) - 4) == b"cabc"
        assert (os.fstat(copy.fd).st_size, copy.size) == (3 << 20, 3 << 20)
        fd = copy.fd
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_equal_content_is_an_equal_digest(tmp_path: Path) -> None:
    digests = []
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
        with sealed_copy(tmp_path / name) as copy:
            digests.append(copy.digest)
    assert digests[0] == digests[1] != digests[2]
    assert digests[0] == "6b86b273ff34fce1"  # sha256 of "1"


@pytest.mark.parametrize("change", [lambda fd: os.pwrite(fd, b"x", 0), lambda fd: os.ftruncate(fd, 0)])
def test_nobody_changes_what_is_sealed(tmp_path: Path, change: object) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with sealed_copy(tmp_path / "a") as copy:
        assert callable(change)
        with pytest.raises(OSError, match="Operation not permitted") as refused:
            change(copy.fd)
        assert refused.value.errno == errno.EPERM


def test_no_seal_while_somebody_may_still_write() -> None:
    with memory_file("test") as fd:
        os.ftruncate(fd, 4096)
        with mmap.mmap(fd, 4096), pytest.raises(OSError, match="busy"):
            seal(fd)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RefusedInputError) as refusal, sealed_copy(tmp_path / "a.mmdb"):
        pass
    assert str(refusal.value) == (
        f"{tmp_path}/a.mmdb: cannot be read (No such file or directory); correct [geodb] paths, or put a database there"
    )


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(RefusedInputError) as refusal, sealed_copy(tmp_path / "a"):
        pass
    assert str(refusal.value) == f"{tmp_path}/a: is empty; put a complete database in its place"


def test_what_is_no_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/zero")):
        with pytest.raises(RefusedInputError) as refusal, sealed_copy(path):
            pass
        assert str(refusal.value) == f"{path}: not a regular file; correct [geodb] paths"


def test_a_file_being_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(300))
    monkeypatch.setattr(sealed, "_CHUNK", 100)
    write = os.write

    def growing(fd: int, data: bytes) -> int:
        with path.open("ab") as file:
            file.write(b"x") if file.tell() < 310 else None
        return write(fd, data)

    monkeypatch.setattr(os, "write", growing)
    with pytest.raises(RefusedInputError) as refusal, sealed_copy(path):
        pass
    assert str(refusal.value) == (
        f"{path}: changed while it was read; write a new file beside it and rename it into place"
    )


def test_short_writes_are_carried_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    with sealed_copy(path) as copy:
        assert os.pread(copy.fd, 20, 0) == b"0123456789"
