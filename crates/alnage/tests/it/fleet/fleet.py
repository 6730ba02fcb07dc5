"""Pulls and uploads models while processes of the registry are killed at random, and looks whether anything was lost or
given out that nobody allowed.

Usage: fleet.py ALNAGE UPSTREAM FOLDER small|large OPERATIONS SEED. `small` is one server and one worker over SQLite and a
directory; `large` is two servers and two workers over PostgreSQL and an S3 server. UPSTREAM is the stand-in for a hub.
The last line of output says what was done; any other end is a failure.
"""

import base64
import concurrent.futures
import glob
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

ALNAGE, UPSTREAM, FOLDER, SIZE, OPERATIONS, SEED = sys.argv[1:]
OPERATIONS = int(OPERATIONS)
CHANCE = random.Random(int(SEED))
TOKEN = "hf_" + "Fleet0fTheAlnage".ljust(40, "x")[:40]
PATIENCE = 240
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


def postgresql():
    tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    place = os.path.join(FOLDER, "postgres")
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


def object_store():
    weed = os.path.join(os.path.dirname(sys.executable), "weed")
    place = os.path.join(FOLDER, "weed")
    os.makedirs(place)
    s3, master, volume, filer = (free_port() for _ in range(4))
    start([weed, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={place}", "-s3", f"-s3.port={s3}",
           f"-master.port={master}", f"-master.port.grpc={free_port()}", f"-volume.port={volume}", f"-volume.port.grpc={free_port()}",
           "-filer", f"-filer.port={filer}", f"-filer.port.grpc={free_port()}", f"-s3.port.grpc={free_port()}",
           "-volume.max=40", "-master.volumeSizeLimitMB=64"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def makes_a_bucket():
        try:
            return ask(s3, "PUT", "/fleet", token=False)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    wait_for("the S3 server", makes_a_bucket)
    os.environ.update(AWS_ACCESS_KEY_ID="fleet", AWS_SECRET_ACCESS_KEY="fleetsecret")
    return f"s3://fleet/models?endpoint=http://127.0.0.1:{s3}&region=us-east-1"


class Member:
    """A server or a worker, which is started again whenever it was killed."""

    all = []

    def __init__(self, command, port=None):
        Member.all.append(self)
        self.command, self.port, self.lock = command, port, threading.Lock()
        self.begin()

    def begin(self):
        with open(os.path.join(FOLDER, "members.log"), "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        with self.lock:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.begin()


def tensors(seed):
    header = json.dumps({"w": {"dtype": "U8", "shape": [200_000], "data_offsets": [0, 200_000]}}).encode()
    return len(header).to_bytes(8, "little") + header + random.Random(seed).randbytes(200_000)


WEAPON = b"cos\nsystem\n(S'id'\ntR."


def model(number):
    """The files of model `number`; every fifth would run a program when it is loaded."""
    files = {"config.json": json.dumps({"model_type": "bert", "number": number}).encode()}
    files["pytorch_model.bin" if number % 5 == 0 else "model.safetensors"] = WEAPON if number % 5 == 0 else tensors(number)
    return files


def ask(port, method, path, body=None, kind="application/json", token=True, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        said = {"Content-Type": kind, **({"Authorization": f"Bearer {TOKEN}"} if token else {}), **(headers or {})}
        connection.request(method, path, body, said)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def until(what, attempt):
    """Tries again until `attempt` gives something, as a client does whose server went away."""
    deadline = time.monotonic() + PATIENCE
    last = None
    while time.monotonic() < deadline:
        try:
            found = attempt()
            if found is not None:
                return found
        except (OSError, http.client.HTTPException) as error:
            last = error
        time.sleep(0.3)
    raise AssertionError(f"{what} came to no end: {last}")


def download(name, number, servers, given_out):
    """Asks for every file until it is there, or is refused for good."""
    for path, content in model(number).items():
        def attempt():
            status, headers, body = ask(CHANCE.choice(servers).port, "GET", f"/{name}/resolve/main/{path}", token=False)
            if status == 200:
                given_out.append((name, number))
                assert body == content, f"{name}/{path} is not what it was"
                return "there"
            # Refused for good: the reason is told; while it waits, it is told to come back.
            if status == 403 and headers.get("X-Error-Code") == "GatedRepo" and b"being" not in body and b"wait" not in body.lower():
                return "refused"
            return None
        found = until(f"{name}/{path}", attempt)
        assert found == ("refused" if number % 5 == 0 else "there"), f"{name}/{path} was {found}"


def upload(name, number, servers):
    """As `huggingface_hub` does it without Xet."""
    namespace, _, short = name.partition("/")

    def create():
        body = json.dumps({"name": short, "organization": namespace, "type": "model", "private": False})
        status, _, _ = ask(CHANCE.choice(servers).port, "POST", "/api/repos/create", body)
        return True if status in (200, 201, 409) else None

    until(f"creating {name}", create)
    files = model(number)
    large = [path for path, content in files.items() if len(content) > 1000]
    for path in large:
        content = files[path]
        oid = hashlib.sha256(content).hexdigest()

        def put():
            port = CHANCE.choice(servers).port
            wanted = {"operation": "upload", "transfers": ["basic"], "hash_algo": "sha256", "objects": [{"oid": oid, "size": len(content)}]}
            status, _, body = ask(port, "POST", f"/{name}.git/info/lfs/objects/batch", json.dumps(wanted), "application/vnd.git-lfs+json")
            if status != 200:
                return None
            action = json.loads(body)["objects"][0].get("actions", {}).get("upload")
            if action is None:
                return True
            place = "/" + action["href"].split("/", 3)[3]
            status, _, _ = ask(port, "PUT", place, content, "application/octet-stream", False, action.get("header"))
            return True if status in (200, 201) else None

        until(f"sending {name}/{path}", put)
    lines = [{"key": "header", "value": {"summary": "a model", "description": ""}}]
    for path, content in files.items():
        if path in large:
            value = {"path": path, "algo": "sha256", "oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
            lines.append({"key": "lfsFile", "value": value})
        else:
            value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
            lines.append({"key": "file", "value": value})
    body = "".join(json.dumps(line) + "\n" for line in lines)

    def commit():
        status, _, answer = ask(CHANCE.choice(servers).port, "POST", f"/api/models/{name}/commit/main", body, "application/x-ndjson")
        return json.loads(answer)["commitOid"] if status == 200 else None

    return until(f"committing {name}", commit)


def main():
    os.chmod(FOLDER, 0o711)  # PostgreSQL runs as somebody else
    upstream_folder = os.path.join(FOLDER, "upstream")
    for number in range(OPERATIONS):
        if number % 2 == 0:
            for path, content in model(number).items():
                place = os.path.join(upstream_folder, "models", "far", f"m{number}", path)
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "wb") as file:
                    file.write(content)
    hub = start([sys.executable, UPSTREAM, upstream_folder], stdout=subprocess.PIPE, text=True)
    url = hub.stdout.readline().strip()
    threading.Thread(target=lambda: [None for _ in hub.stdout], daemon=True).start()
    port = url.rsplit(":", 1)[1].strip("/")
    token = os.path.join(FOLDER, "token")
    with open(token, "w") as file:
        file.write(TOKEN)
    common = ["--upstream", url, "--upstream-hosts", f"http://localhost:{port}"]
    count = 2 if SIZE == "large" else 1
    if SIZE == "large":
        common += ["--database", postgresql(), "--store", object_store()]
    else:
        common += ["--data", os.path.join(FOLDER, "data")]
    servers, workers = [], []
    for number in range(count):
        own = ["--data", os.path.join(FOLDER, f"server{number}")] if SIZE == "large" else []
        port = free_port()
        servers.append(Member([ALNAGE, "serve", *common, *own, "--listen", f"127.0.0.1:{port}", "--workers", "0", "--admin-token-file", token], port))
        wait_for("a server", lambda: listens(port))
        own = ["--data", os.path.join(FOLDER, f"worker{number}")] if SIZE == "large" else []
        workers.append(Member([ALNAGE, "worker", *common, *own, "--workers", "1"]))

    given_out, kills, done = [], 0, threading.Event()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        def operate(number):
            if number % 2 == 0:
                download(f"far/m{number}", number, servers, given_out)
            else:
                upload(f"near/m{number}", number, servers)

        jobs = [pool.submit(operate, number) for number in range(OPERATIONS)]
        while not all(job.done() for job in jobs):
            time.sleep(CHANCE.uniform(0.5, 4))
            CHANCE.choice(servers + workers).kill()
            kills += 1
            if any(job.done() and job.exception() for job in jobs):
                for job in jobs:
                    job.cancel()
                break
        for job in jobs:
            if not job.cancelled():
                job.result()

        # What was acknowledged is there, and what is not allowed is not, on every server.
        for member in servers:
            wait_for("a server", lambda: listens(member.port))
        checks = []
        for number in range(OPERATIONS):
            name = f"{'far' if number % 2 == 0 else 'near'}/m{number}"
            checks += [pool.submit(download, name, number, [member], given_out) for member in servers]
        for check in checks:
            check.result()
    weapons = [name for name, number in given_out if number % 5 == 0]
    assert not weapons, f"given out although it is a weapon: {weapons}"
    print(f"{OPERATIONS} pulls and uploads, {kills} kills, {len(given_out)} files given out")


try:
    main()
finally:
    for process in RUNNING:
        process.kill()
    for member in Member.all:
        member.process.kill()
