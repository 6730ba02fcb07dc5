"""Checks what is deployed: the manifests against the schemas of Kubernetes and by `kubectl`, the storage initializer by runs.

`kubectl create --dry-run=client` asks a server which kinds there are; a stand-in on the loopback tells it, and stores nothing.
Needs what `xtask/deploy.txt` lists.
"""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

from render import rendered

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(sys.executable).parent
KINDS = {
    "v1": {"Service": "services", "ConfigMap": "configmaps"},
    "apps/v1": {"Deployment": "deployments", "StatefulSet": "statefulsets"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "admissionregistration.k8s.io/v1": {
        "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
        "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
    },
    "serving.kserve.io/v1alpha1": {"ClusterStorageContainer": "clusterstoragecontainers"},
    "cert-manager.io/v1": {"Issuer": "issuers", "Certificate": "certificates"},
}
# The chart as others set it, and how many objects it then has.
VARIANTS = [
    ({"registry": {"enabled": False, "url": "http://registry.elsewhere:8080"}}, 8),
    ({"registry": {"database": "postgres://db/alnage", "store": "s3://models", "replicas": 3, "envFrom": [{"secretRef": {"name": "db"}}]}}, 10),
    ({"webhook": {"certManager": False, "caBundle": "QQ==", "tokenSecret": "token", "rules": {"unpinned": "warn"}, "warn": True}}, 8),
    ({"webhook": {"mutate": False, "replicas": 1}, "storageInitializer": {"enabled": True, "image": "initializer:1"}}, 10),
]
CLUSTER_WIDE = {"ClusterStorageContainer", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}


class Discovery(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/api":
            answer = {"kind": "APIVersions", "versions": ["v1"]}
        elif path == "/apis":
            groups = [group for group in KINDS if "/" in group]
            versions = {group: {"groupVersion": group, "version": group.split("/")[1]} for group in groups}
            answer = {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
                {"name": group.split("/")[0], "versions": [versions[group]], "preferredVersion": versions[group]} for group in groups]}
        elif (group := path.removeprefix("/apis/").removeprefix("/api/")) in KINDS:
            answer = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": [
                {"name": plural, "singularName": kind.lower(), "kind": kind, "namespaced": kind not in CLUSTER_WIDE, "verbs": ["create", "get"]}
                for kind, plural in KINDS[group].items()]}
        else:
            self.send_error(404)
            return
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def manifests(path, objects):
    done = subprocess.run([BIN / "kubernetes-validate", "--strict", path], capture_output=True, text=True)
    assert done.returncode == 0 and "passed" in done.stderr + done.stdout, done.stdout + done.stderr
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Discovery)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home:
        command = [BIN / "kubectl", "--server", f"http://127.0.0.1:{server.server_port}", "create", "--dry-run=client", "--validate=false", "-f", path]
        done = subprocess.run(command, capture_output=True, text=True, env={"HOME": home, "PATH": os.environ["PATH"]})
    server.shutdown()
    made = [line for line in done.stdout.splitlines() if "(dry run)" in line]
    assert done.returncode == 0 and len(made) == objects, done.stdout + done.stderr


def initialize(directory, arguments, client, program, **variables):
    """Runs the initializer with a stand-in for the client and for `alnage`; its exit code and what it said."""
    (directory / "huggingface_hub.py").write_text(client)
    script = directory / "alnage"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(directory), "ALNAGE": str(script), **variables}
    command = [sys.executable, HERE / "storage-initializer/initialize.py", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    return done.returncode, done.stderr


def storage_initializer():
    good = "import pathlib\ndef snapshot_download(repo, revision, local_dir):\n    (pathlib.Path(local_dir) / 'model.safetensors').write_text(repo + revision)\n"
    bad = "def snapshot_download(*_, **__):\n    raise RuntimeError('403: not approved')\n"
    registry = {"HF_ENDPOINT": "http://127.0.0.1:9"}
    commit = "0" * 40
    cases = [
        (good, "exit 0", registry, 0, "is in"),
        (good, "exit 1", registry, 1, "the model is not used"),
        (bad, "exit 0", registry, 1, "not approved"),
        (good, "exit 0", {}, 1, "HF_ENDPOINT is not set"),
        (good, "exit 0", {**registry, "ALNAGE_VERIFY": ""}, 1, "nothing would be verified"),
        (good, "exit 0", {**registry, "ALNAGE_VERIFY": "nothing"}, 1, "neither"),
        (good, "exit 0", {**registry, "ALNAGE": "/not/there"}, 1, "cannot start"),
    ]
    for client, program, variables, code, said in cases:
        with tempfile.TemporaryDirectory() as directory:
            directory = pathlib.Path(directory)
            target = directory / "models"
            got, told = initialize(directory, [f"hf://org/name:{commit}", target], client, program, **variables)
            assert (got != 0) == (code != 0) and said in told, (variables, got, told)
            left = target.exists() and any(target.iterdir())
            assert left == (code == 0), (variables, "something is left" if left else "nothing is there")
    with tempfile.TemporaryDirectory() as directory:
        got, told = initialize(pathlib.Path(directory), ["s3://bucket/x", directory + "/m"], good, "exit 0", **registry)
        assert got != 0 and "is not `hf://" in told, told


if __name__ == "__main__":
    manifests(HERE / "manifests/alnage.yaml", 10)
    for values, objects in VARIANTS:
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "variant.yaml"
            path.write_text(rendered(values))
            manifests(path, objects)
    storage_initializer()
    print("all is well")
