"""A file that was judged and is held: a copy that nobody can write to, or the open file itself."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any, BinaryIO, Callable, Optional, Tuple, TypeVar

from alnage._alnage import Judged

#: What changes whenever a file does: device, inode, length, time of the last write and of the last change.
Stamp = Tuple[int, int, int, int, int]
R = TypeVar("R")


def stamp_of(place: Any) -> Optional[Stamp]:
    """Of a path or a descriptor; None when nothing is there."""
    try:
        found = os.stat(place)
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class Held:
    """A judged file, open until `close`."""

    def __init__(self, judged: Judged) -> None:
        self.judged: Optional[Judged] = judged
        self._folder: Optional[str] = None
        #: Where it can be opened again, as itself, whatever its name leads to by now.
        self.path = f"/proc/self/fd/{judged.fileno()}"
        self.stamp = stamp_of(judged.fileno())
        self.is_copy = judged.is_copy

    def open(self) -> BinaryIO:
        """A new file object at its beginning."""
        return open(self.path, "rb")

    def named(self, name: str) -> str:
        """A path that ends with `name` and leads to it, for loaders that go by endings."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="alnage-")
            os.symlink(f"/proc/{os.getpid()}/fd/{self.path.rpartition('/')[2]}", os.path.join(self._folder, name))
        return os.path.join(self._folder, name)

    def reading(self, file: Any, read: Callable[[Any], R]) -> R:
        """Lets `read` read the verified copy instead of `file`, from where `file` is, and moves `file` as far."""
        if not self.is_copy:
            return read(file)
        copy = self.open()
        copy.seek(file.tell())
        try:
            result = read(copy)
            file.seek(copy.tell())
        except BaseException:
            copy.close()
            raise
        if not hasattr(result, "zip"):
            copy.close()
        # An archive of NumPy reads on from what it was opened with.
        return result

    def has_changed(self) -> bool:
        """Whether somebody has written to it since it was judged."""
        return self.judged is not None and self.judged.has_changed()

    def close(self) -> None:
        """Gives it back."""
        self.judged = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
