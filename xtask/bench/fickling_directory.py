"""Checks every file of a directory with fickling in one process: its program takes one pickle at a time.

usage: fickling_directory.py DIRECTORY
"""

import pathlib
import sys

from fickling.analysis import check_safety
from fickling.fickle import Pickled

for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    with path.open("rb") as file:
        check_safety(Pickled.load(file))
