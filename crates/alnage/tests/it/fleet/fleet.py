"""Pulls and uploads models while processes of the registry are killed at random, and looks whether anything was lost or
given out that nobody allowed.

Usage: fleet.py ALNAGE UPSTREAM FOLDER small|large OPERATIONS SEED. `small` is one server and one worker over SQLite and a
directory; `large` is two servers and two workers over PostgreSQL and an S3 server. UPSTREAM is the stand-in for a hub.
The last line of output says what was done; any other end is a failure.
"""

import base64
import concurrent.futures
import hashlib
import http.client
import json
import os
import random
import sys
import threading
import time

from members import end, listens, registry, wait_for

ALNAGE, UPSTREAM, FOLDER, SIZE, OPERATIONS, SEED = sys.argv[1:]
OPERATIONS = int(OPERATIONS)
CHANCE = random.Random(int(SEED))
TOKEN = "hf_" + "Fleet0fTheAlnage".ljust(40, "x")[:40]
PATIENCE = 240


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
    upstream_folder = os.path.join(FOLDER, "upstream")
    for number in range(OPERATIONS):
        if number % 2 == 0:
            for path, content in model(number).items():
                place = os.path.join(upstream_folder, "models", "far", f"m{number}", path)
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "wb") as file:
                    file.write(content)
    servers, workers = registry(ALNAGE, UPSTREAM, FOLDER, SIZE, TOKEN)
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
    end()
