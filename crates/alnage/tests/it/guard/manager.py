"""Does for a guard what a service manager does: keeps its group, and starts it anew when it has crashed."""

import os, signal, socket, subprocess, sys, time

alnage = sys.argv[1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("notify")
listener.settimeout(60)


def start(group=None):
    environment = dict(os.environ, NOTIFY_SOCKET=os.path.abspath("notify"))
    given = ()
    if group is not None:
        environment["LISTEN_FDS"] = "1"
        given = (group,)
    words = "guard-host --mount fs --key keys/signing.pub.pem --log log --no-cache --workers 1 --metrics figures"
    return subprocess.Popen([alnage, *words.split()], env=environment, pass_fds=given)


def ready():
    """The group that is to be kept, once the guard is ready."""
    kept = None
    while True:
        message, files, _, _ = socket.recv_fds(listener, 4096, 4)
        if message.startswith(b"FDSTORE=1"):
            (kept,) = files
        if message == b"READY=1":
            return kept


def reading(file):
    return subprocess.Popen([sys.executable, "ways.py", "plain", file], stdout=subprocess.PIPE)


guard = start()
group = ready()
assert group is not None, "nothing was given to keep"
# One open is read by the guard and not answered when it dies.
os.kill(guard.pid, signal.SIGSTOP)
waiting = [reading("fs/bare/model.safetensors"), reading("fs/good/model.safetensors")]
time.sleep(0.5)
os.kill(guard.pid, signal.SIGCONT)
os.kill(guard.pid, signal.SIGKILL)
guard.wait()
waiting.append(reading("fs/bad/model.safetensors"))
time.sleep(0.3)
# Nobody answers, so nobody reads.
assert waiting[2].poll() is None, "an open went on without a guard"
following = start(group)
kept_again = ready()
assert kept_again is not None
got = [process.communicate(timeout=60)[0] for process in waiting]
assert got[0].startswith(b"FAILED") and got[2].startswith(b"FAILED"), got
sealed = reading("fs/good/model.safetensors").communicate(timeout=60)[0]
assert sealed.startswith(b"GOT"), sealed
following.terminate()
assert following.wait(60) == 0
print("fine")
