"""The processes of a registry, and what they stand on: PostgreSQL, an S3 server, a stand-in for a hub."""

import glob
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

RUNNING = []


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(what, look):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if look():
            return
        time.sleep(0.1)
    raise SystemExit(f"{what} does not answer")


def listens(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def start(command, **more):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **more)
    RUNNING.append(process)
    return process


def postgresql(folder):
    tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    place = os.path.join(folder, "postgres")
    os.makedirs(place)
    shutil.chown(place, "nobody")
    nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
    data = os.path.join(place, "data")
    made = [*nobody, f"{tools}/initdb", "--no-sync", "--auth=trust", "--username=alnage", "--encoding=UTF8", "--no-locale", "-D", data]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd="/")
    start([*nobody, f"{tools}/postgres", "-c", "listen_addresses=", "-c", "fsync=off", "-D", data, "-k", place],
          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    wait_for("PostgreSQL", lambda: subprocess.run([f"{tools}/pg_isready", "-q", "-h", place]).returncode == 0)
    return "postgresql://alnage@" + place.replace("/", "%2F") + "/postgres"


def object_store(folder):
    weed = os.path.join(os.path.dirname(sys.executable), "weed")
    place = os.path.join(folder, "weed")
    os.makedirs(place)
    s3, master, volume, filer = (free_port() for _ in range(4))
    start([weed, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={place}", "-s3", f"-s3.port={s3}",
           f"-master.port={master}", f"-master.port.grpc={free_port()}", f"-volume.port={volume}", f"-volume.port.grpc={free_port()}",
           "-filer", f"-filer.port={filer}", f"-filer.port.grpc={free_port()}", f"-s3.port.grpc={free_port()}",
           # Else it listens on ports that are the same for all, and ends when another test has them.
           "-s3.port.iceberg=0", "-s3.port.lance=0",
           # Else it takes nothing any more on a disk with less than one per cent free, gigabytes though they be.
           "-volume.minFreeSpace=1MiB",
           "-volume.max=40", "-master.volumeSizeLimitMB=64"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def makes_a_bucket():
        try:
            connection = http.client.HTTPConnection("127.0.0.1", s3, timeout=60)
            connection.request("PUT", "/fleet")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    wait_for("the S3 server", makes_a_bucket)
    os.environ.update(AWS_ACCESS_KEY_ID="fleet", AWS_SECRET_ACCESS_KEY="fleetsecret")
    return f"s3://fleet/models?endpoint=http://127.0.0.1:{s3}&region=us-east-1"


class Member:
    """A server or a worker, which is started again whenever it was killed."""

    all = []

    def __init__(self, folder, command, port=None):
        Member.all.append(self)
        self.folder, self.command, self.port, self.lock = folder, command, port, threading.Lock()
        self.begin()

    def begin(self):
        with open(os.path.join(self.folder, "members.log"), "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        with self.lock:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.begin()


def registry(alnage, upstream, folder, size, token):
    """Starts the stand-in for a hub, which serves `upstream` below `folder`, and the registry: `small` is one server and one
    worker over SQLite and a directory; `large` is two of each over PostgreSQL and an S3 server."""
    os.chmod(folder, 0o711)  # PostgreSQL runs as somebody else
    hub = start([sys.executable, upstream, os.path.join(folder, "upstream")], stdout=subprocess.PIPE, text=True)
    url = hub.stdout.readline().strip()
    threading.Thread(target=lambda: [None for _ in hub.stdout], daemon=True).start()
    place = os.path.join(folder, "token")
    with open(place, "w") as file:
        file.write(token)
    common = ["--upstream", url, "--upstream-hosts", f"http://localhost:{url.rsplit(':', 1)[1].strip('/')}"]
    if size == "large":
        common += ["--database", postgresql(folder), "--store", object_store(folder)]
    else:
        common += ["--data", os.path.join(folder, "data")]
    servers, workers = [], []
    for number in range(2 if size == "large" else 1):
        own = ["--data", os.path.join(folder, f"server{number}")] if size == "large" else []
        port = free_port()
        listen = ["--listen", f"127.0.0.1:{port}", "--workers", "0", "--admin-token-file", place]
        servers.append(Member(folder, [alnage, "serve", *common, *own, *listen], port))
        wait_for("a server", lambda: listens(port))
        own = ["--data", os.path.join(folder, f"worker{number}")] if size == "large" else []
        workers.append(Member(folder, [alnage, "worker", *common, *own, "--workers", "1"]))
    return servers, workers


def end():
    """Ends everything that was started."""
    for process in RUNNING:
        process.kill()
    for member in Member.all:
        member.process.kill()
