"""Runs a command several times and prints the median of what the kernel accounted for it, as JSON.

A run that takes longer than SECONDS is killed: it is the only one that counts then, and has no exit code.

usage: measure.py RUNS SECONDS COMMAND [ARGUMENT ...]
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

# A command that takes a while is not run for longer than this in all.
ENOUGH = 12.0

runs, limit, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
walls, cpus, peaks, code = [], [], [], None
for _ in range(runs + 1):
    cut = threading.Event()
    start = time.monotonic()
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def kill():
        cut.set()
        os.killpg(child.pid, signal.SIGKILL)

    timer = threading.Timer(limit, kill)
    timer.start()
    _, status, usage = os.wait4(child.pid, 0)
    timer.cancel()
    wall, cpu, peak = time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    if cut.is_set():
        walls, cpus, peaks, code = [wall], [cpu], [peak], None
        break
    walls.append(wall)
    cpus.append(cpu)
    peaks.append(peak)
    code = os.waitstatus_to_exitcode(status)
    if sum(walls) > ENOUGH:
        break
# The first run warms the page cache, unless it was the only one there was time for.
kept = slice(1, None) if len(walls) > 1 else slice(None)
median = statistics.median
print(json.dumps({"wall": median(walls[kept]), "cpu": median(cpus[kept]), "peak": median(peaks[kept]), "code": code}))
