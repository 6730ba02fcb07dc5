"""The requests of clients that are no Python: llama.cpp, the Rust crate `hf-hub`, Ollama."""

import hashlib
import http.client
import json
import urllib.parse

DONE = 0


def same(found, wanted, what=""):
    global DONE
    assert found == wanted, f"{what}: {found} is not {wanted}"
    DONE += 1


class Client:
    def __init__(self, port, agent):
        self.port, self.agent = port, agent

    def ask(self, method, path, **headers):
        """Follows redirects of the same host, as all of them do."""
        for _ in range(20):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            try:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                connection.request(method, path, headers={"User-Agent": self.agent, **named})
                answer = connection.getresponse()
                body = answer.read()
            finally:
                connection.close()
            if answer.status not in (301, 302, 303, 307, 308):
                return answer.status, answer.headers, body
            place = urllib.parse.urlsplit(answer.headers["Location"])
            path = place.path + (f"?{place.query}" if place.query else "")
        raise AssertionError(f"{path} leads nowhere")


def llama(port, files):
    """`llama-server -hf acme/llama-gguf`: the branch, its tree, then parts of a file whose path is not encoded."""
    client = Client(port, "llama-cpp/b6500")
    status, _, body = client.ask("GET", "/api/models/acme/llama-gguf/refs")
    same(status, 200, "refs")
    commit = next(one["targetCommit"] for one in json.loads(body)["branches"] if one["name"] == "main")
    same(len(commit), 40)
    status, headers, body = client.ask("GET", f"/api/models/acme/llama-gguf/tree/{commit}?recursive=true")
    same((status, headers["Link"]), (200, None), "tree")
    entry = next(one for one in json.loads(body) if one["path"].endswith(".gguf"))
    wanted = files["model-Q4_K_M.gguf"]
    same((entry["type"], entry["size"]), ("file", len(wanted)))
    path = f"/acme/llama-gguf/resolve/{commit}/{entry['path']}"
    status, headers, _ = client.ask("HEAD", path)
    same((status, headers["Accept-Ranges"], bool(headers["ETag"])), (200, "bytes", True), "HEAD")
    same(client.ask("GET", path)[2], wanted)
    status, headers, body = client.ask("GET", path, Range="bytes=10-")
    same((status, body, headers["Content-Range"]), (206, wanted[10:], f"bytes 10-{len(wanted) - 1}/{len(wanted)}"))
    # It shows `error` of a refusal, which must be a text.
    status, _, body = client.ask("GET", "/api/models/acme/bad/refs")
    if status == 200:
        status, _, body = client.ask("GET", "/api/models/acme/bad/tree/main?recursive=true")
    same((status, "ALNAGE: acme/bad" in json.loads(body)["error"]), (403, True))


def crate(port, files):
    """`hf-hub` 0.3 to 0.5 asks for one byte to learn what a file is, then for the file."""
    for agent in ("unkown/None; hf-hub/0.3.2; rust/unknown", "unknown/None; hf-hub/0.5.0; rust/unknown"):
        client = Client(port, agent)
        status, _, body = client.ask("GET", "/api/models/acme/large/revision/main")
        same((status, len(json.loads(body)["siblings"])), (200, 2))
        wanted = files["model.safetensors"]
        path = "/acme/large/resolve/main/model.safetensors"
        status, headers, body = client.ask("GET", path, Range="bytes=0-0")
        same((status, len(body), headers["Content-Range"]), (206, 1, f"bytes 0-0/{len(wanted)}"))
        same((len(headers["X-Repo-Commit"]), headers["ETag"].strip('"')), (40, hashlib.sha256(wanted).hexdigest()))
        same(client.ask("GET", path)[2], wanted)
        status, _, body = client.ask("GET", "/acme/bad/resolve/main/pytorch_model.bin", Range="bytes=0-0")
        same((status, b"ALNAGE: acme/bad" in body), (403, True))
    # 1.0 asks with HEAD, and whether it has changed.
    client = Client(port, "unknown/None; hf-hub/1.0.0; rust/unknown")
    status, headers, _ = client.ask("HEAD", path)
    same((status, headers["X-Xet-Hash"], headers["Content-Length"]), (200, None, str(len(wanted))))
    same(client.ask("HEAD", path, If_None_Match=headers["ETag"])[0], 304)


def ollama(port, files):
    """`ollama pull HOST/acme/llama-gguf`: the manifest, then parts of blobs at the place that the answer names."""
    client = Client(port, "ollama/0.12.0 (amd64 linux) Go/go1.24")
    wanted = files["model-Q4_K_M.gguf"]
    status, _, body = client.ask("GET", "/v2/acme/llama-gguf/manifests/main", Accept="application/vnd.docker.distribution.manifest.v2+json")
    same(status, 200, body)
    layers = [json.loads(body)["config"], *json.loads(body)["layers"]]
    digest = "sha256:" + hashlib.sha256(wanted).hexdigest()
    same(digest in [layer["digest"] for layer in layers], True, "layers")
    for layer in layers:
        status, headers, body = client.ask("GET", f"/v2/acme/llama-gguf/blobs/{layer['digest']}")
        same(("sha256:" + hashlib.sha256(body).hexdigest(), len(body)), (layer["digest"], layer["size"]))
        same(status == 200 and bool(headers["Location"]), True)
    part = client.ask("GET", f"/v2/acme/llama-gguf/blobs/{digest}", Range="bytes=4-7")
    same((part[0], part[2]), (206, wanted[4:8]))
    status, _, body = client.ask("GET", "/v2/acme/bad/manifests/main")
    same((status in (403, 404), b"ALNAGE: acme/bad" in body), (True, True), body)


def ask_as_others(port, repositories):
    """Gives how much was compared."""
    llama(port, repositories["models/acme/llama-gguf"])
    crate(port, repositories["models/acme/large"])
    ollama(port, repositories["models/acme/llama-gguf"])
    return DONE
