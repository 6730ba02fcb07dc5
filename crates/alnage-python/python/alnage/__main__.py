"""`python -m alnage`: the command line, but `run` puts its gate around a program of Python inside this process.

`python -m alnage run [OPTIONS] -- SCRIPT.py ARGUMENTS` (or `-m MODULE`, or `-c CODE`) takes the options of `alnage run`.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import List

from alnage import _alnage, cli
from alnage._enforcing import enforce_with


def main() -> int:
    """Runs what the arguments name and gives an exit code."""
    if sys.argv[1:2] != ["run"] or {"-h", "--help"} & set(sys.argv[2:3]):
        return cli.main()
    try:
        gate = _alnage.Gate(sys.argv[2:])
    except (_alnage.Failure, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    enforce_with(gate)
    try:
        run(list(gate.command))
    finally:
        gate.keep()
    return 0


def run(command: List[str]) -> None:
    """Runs a script, a module or code as Python itself would."""
    first, rest = command[0], command[1:]
    if first == "-m" and rest:
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c" and rest:
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
    else:
        sys.argv = command
        if sys.path[:1] == [os.getcwd()]:
            # Where `-m` looks first; a script is looked for beside itself.
            del sys.path[0]
        sys.path.insert(0, os.path.dirname(os.path.abspath(first)))
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    sys.exit(main())
