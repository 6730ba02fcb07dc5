"""The command line `alnage`, out of this package's native half: the same as the binary of that name."""

from __future__ import annotations

import signal
import sys

from alnage import _alnage


def main() -> int:
    """Runs the command line of this process and gives its exit code."""
    # Python would keep Ctrl-C for itself until the command has ended.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _alnage.main(["alnage", *sys.argv[1:]])
