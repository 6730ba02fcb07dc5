"""Runs a command several times and prints the median of what the kernel accounted for it, as JSON.

A run that takes longer than SECONDS is killed and counts with what it had used.

usage: measure.py RUNS SECONDS COMMAND [ARGUMENT ...]
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time

runs, limit, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
walls, cpus, peaks, code = [], [], [], None
for _ in range(runs + 1):
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    timer = threading.Timer(limit, child.kill)
    timer.start()
    _, status, usage = os.wait4(child.pid, 0)
    timer.cancel()
    walls.append(time.monotonic() - start)
    cpus.append(usage.ru_utime + usage.ru_stime)
    peaks.append(usage.ru_maxrss / 1024)
    code = os.waitstatus_to_exitcode(status)
    if sum(walls) > limit:
        break
# The first run warms the page cache, unless it was the only one there was time for.
kept = slice(1, None) if len(walls) > 1 else slice(None)
median = statistics.median
print(json.dumps({"wall": median(walls[kept]), "cpu": median(cpus[kept]), "peak": median(peaks[kept]), "code": code}))
