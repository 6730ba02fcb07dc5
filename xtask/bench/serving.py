"""Times `alnage serve` against nginx without sendfile: a long file, and small metadata at sixteen connections.

usage: serving.py ALNAGE DIRECTORY

Prints a JSON object: for nginx and for Alnage, processor seconds per GiB, requests per second, and the longest of 99 in a
hundred admission reviews in milliseconds. Everything is on the loopback; nginx and wrk come from Debian.
"""

import base64, hashlib, http.client, json, os, pathlib, re, shutil, socket, statistics, subprocess, sys, time

GIB = 1 << 30
TURNS = 5
REVIEWS = 2000
REPOSITORY = "bench/model"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def processor_seconds(pid):
    """Of a process and its children, from the kernel's accounts."""
    total = 0
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(entry.name) == pid or int(fields[1]) == pid:
                total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


class Hub:
    """What of the hub's protocol is needed to put a model there."""

    def __init__(self, port, token):
        self.port, self.token = port, token

    def ask(self, method, path, body=None, kind="application/json", authorised=True):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        headers = {"Content-Type": kind}
        if authorised:
            headers["Authorization"] = f"Bearer {self.token}"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status < 300, (method, path, answer.status, content[:400])
        return content

    def json(self, method, path, value, kind="application/json"):
        return json.loads(self.ask(method, path, json.dumps(value).encode(), kind) or b"null")

    def upload(self, files):
        namespace, name = REPOSITORY.split("/")
        self.json("POST", "/api/repos/create", {"name": name, "organization": namespace, "type": "model", "private": False})
        lines = [{"key": "header", "value": {"summary": "what is measured", "description": ""}}]
        for path, content in files.items():
            if isinstance(content, bytes):
                value = {"path": path, "encoding": "base64", "content": base64.b64encode(content).decode()}
                lines.append({"key": "file", "value": value})
                continue
            with open(content, "rb") as file:
                digest, size = hashlib.file_digest(file, "sha256").hexdigest(), os.path.getsize(content)
            batch = self.json("POST", f"/{REPOSITORY}.git/info/lfs/objects/batch", {"operation": "upload",
                "transfers": ["basic"], "hash_algo": "sha256", "objects": [{"oid": digest, "size": size}]},
                "application/vnd.git-lfs+json")
            upload = batch["objects"][0].get("actions", {}).get("upload")
            if upload:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
                with open(content, "rb") as file:
                    target = "/" + upload["href"].split("/", 3)[3]
                    connection.request("PUT", target, file, {**upload.get("header", {}), "Content-Length": str(size)})
                    answer = connection.getresponse()
                    assert answer.status < 300, (answer.status, answer.read()[:400])
            lines.append({"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": digest, "size": size}})
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        return json.loads(self.ask("POST", f"/api/models/{REPOSITORY}/commit/main", body, "application/x-ndjson"))


def median_cpu(pid, url):
    took = []
    for _ in range(TURNS):
        before = processor_seconds(pid)
        subprocess.run(["curl", "--silent", "--fail", "--output", "/dev/null", url], check=True)
        took.append(processor_seconds(pid) - before)
    return statistics.median(took)


def requests_per_second(url):
    got = []
    for _ in range(3):
        out = subprocess.run(["wrk", "-t1", "-c16", "-d3s", url], capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in out, out
        got.append(float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]))
    return statistics.median(got)


def review(commit):
    container = {"name": "server", "image": "vllm/vllm-openai:v0.11.0", "args": ["--model", REPOSITORY, "--revision", commit]}
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "operation": "CREATE", "namespace": "models",
        "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "server"}, "spec": {"containers": [container]}}}})


def reviews(port, token, commit):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    body, took = review(commit), []
    for _ in range(REVIEWS):
        begun = time.perf_counter()
        connection.request("POST", "/admission/validate", body, {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        content = answer.read()
        took.append(time.perf_counter() - begun)
        assert answer.status == 200 and json.loads(content)["response"]["allowed"], content[:400]
    return sorted(took)[REVIEWS * 99 // 100] * 1e3


def wait_until_ready(port, path):
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"nothing answers {path} on port {port}")


def with_nginx(directory, long, small):
    port = free_port()
    configuration = directory / "nginx.conf"
    configuration.write_text(f"""
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log stderr crit; user root;
events {{ worker_connections 256; }}
http {{ access_log off; sendfile off; tcp_nodelay on; keepalive_requests 1000000; default_type application/octet-stream;
  server {{ listen 127.0.0.1:{port}; root {directory}/www; }} }}
""")
    (directory / "www").mkdir(exist_ok=True)
    for name, source in (("long", long), ("small", small)):
        target = directory / "www" / name
        target.unlink(missing_ok=True)
        os.link(source, target)
    process = subprocess.Popen(["nginx", "-p", str(directory), "-c", str(configuration)])
    try:
        wait_until_ready(port, "/small")
        return {"cpu": median_cpu(process.pid, f"http://127.0.0.1:{port}/long"), "rps": requests_per_second(f"http://127.0.0.1:{port}/small")}
    finally:
        process.terminate()
        process.wait()


def with_alnage(alnage, directory, long, small):
    port, data = free_port(), directory / "data"
    shutil.rmtree(data, ignore_errors=True)
    environment = {**os.environ, "ALNAGE_ADMIN_TOKEN": ""}
    process = subprocess.Popen([alnage, "serve", "--data", data, "--listen", f"127.0.0.1:{port}"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        token = next(match[0] for line in process.stdout if (match := re.search(r"hf_[A-Za-z0-9]{34,}", line)))
        wait_until_ready(port, "/readyz")
        hub = Hub(port, token)
        commit = hub.upload({"model.safetensors": long, "config.json": small.read_bytes()})["commitOid"]
        base = f"http://127.0.0.1:{port}/{REPOSITORY}/resolve/main"
        for _ in range(1200):
            if subprocess.run(["curl", "--silent", "--fail", "--head", "--output", "/dev/null", f"{base}/config.json"]).returncode == 0:
                break
            time.sleep(0.1)
        return {"cpu": median_cpu(process.pid, f"{base}/model.safetensors"), "rps": requests_per_second(f"{base}/config.json"),
                "review": reviews(port, token, commit)}
    finally:
        process.terminate()
        process.wait()


def main(alnage, directory):
    place = directory / "serving"
    place.mkdir(parents=True, exist_ok=True)
    long, small = place / "model.safetensors", place / "config.json"
    if not long.is_file():
        header = json.dumps({"w": {"dtype": "U8", "shape": [GIB], "data_offsets": [0, GIB]}}).encode()
        piece = os.urandom(1 << 20)
        with open(long, "wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            for _ in range(GIB // len(piece)):
                file.write(piece)
    small.write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"], "note": "x" * 1940}))
    print(json.dumps({"nginx": with_nginx(place, long, small), "alnage": with_alnage(alnage, place, long, small)}))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
