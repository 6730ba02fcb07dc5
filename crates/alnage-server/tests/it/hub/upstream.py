"""A hub that stands in for the real one, with everything that leads clients astray: hints at its chunk store,
redirects to another host, packed answers, renamed repositories, pages, bodies that break off.

Usage: upstream.py FOLDER. Below FOLDER, `models/<name>` and `datasets/<name>` hold the files of repositories. The first
line of output is its address; then each request is a line. A file `.break` in FOLDER makes every body break off halfway
once; what stands in `.renamed` leads from an old name to a new one.
"""

import gzip
import hashlib
import json
import os
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = sys.argv[1]
PAGE = 2
LARGE = 1000
BROKEN = set()
LOCK = threading.Lock()


def commit_of(kind, name):
    digest = hashlib.sha1(f"{kind}/{name}".encode())
    for path, data in files_of(kind, name):
        digest.update(path.encode() + b"\0" + data)
    return digest.hexdigest()


def files_of(kind, name):
    top = os.path.join(ROOT, kind, name)
    found = []
    for folder, _, names in os.walk(top):
        for file in names:
            path = os.path.join(folder, file)
            with open(path, "rb") as opened:
                found.append((os.path.relpath(path, top), opened.read()))
    return sorted(found)


def entry(path, data):
    oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    entry = {"type": "file", "path": path, "size": len(data), "oid": oid}
    if len(data) >= LARGE:
        entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        entry["xetHash"] = "ab" * 32
    return entry


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        with LOCK:
            # In one piece: others print at the same time.
            sys.stdout.write(f"{self.command} {self.path} {self.headers.get('Range', '')}\n")
            sys.stdout.flush()
        url = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")]
        try:
            self.answer(parts, dict(urllib.parse.parse_qsl(url.query)))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer(self, parts, query):
        if parts[0] == "cdn":
            return self.send_bytes(bytes_of(parts[1], parts[2], "/".join(parts[3:])))
        if parts[0] == "api" and parts[1] in ("models", "datasets"):
            place = next((place for place in (3, 4) if parts[place : place + 1] in (["revision"], ["tree"])), len(parts))
            if len(parts) > place + 1:
                return self.api(parts[1], "/".join(parts[2:place]), parts[place], parts[place + 1], query)
        kind = "models"
        if parts[0] == "datasets":
            kind, parts = "datasets", parts[1:]
        place = next((place for place in (1, 2) if parts[place : place + 1] == ["resolve"]), len(parts))
        if len(parts) > place + 2:
            return self.file(kind, "/".join(parts[:place]), "/".join(parts[place + 2 :]))
        self.refuse(404, "RepoNotFound")

    def api(self, kind, name, what, revision, query):
        renamed = os.path.join(ROOT, ".renamed")
        if os.path.exists(renamed):
            old, new = open(renamed).read().split()
            if name == old:
                return self.redirect(f"/api/{kind}/{new}/{what}/{revision}")
        files = files_of(kind, name)
        if not files:
            return self.refuse(404, "RepoNotFound")
        commit = commit_of(kind, name)
        if revision not in ("main", commit):
            return self.refuse(404, "RevisionNotFound")
        if what == "revision":
            siblings = [{"rfilename": path} for path, _ in files]
            return self.send_json({"id": name, "sha": commit, "siblings": siblings, "xetEnabled": True})
        start = int(query.get("cursor", 0))
        headers = {}
        if start + PAGE < len(files):
            here = f"http://{self.headers['Host']}/api/{kind}/{name}/tree/{revision}?recursive=true"
            headers["Link"] = f'<{here}&cursor={start + PAGE}>; rel="next"'
        self.send_json([entry(*file) for file in files[start : start + PAGE]], headers)

    def file(self, kind, name, path):
        data = bytes_of(kind, name, path)
        if data is None:
            return self.refuse(404, "EntryNotFound")
        if len(data) >= LARGE:
            # Another host, as content networks are.
            port = self.server.server_address[1]
            hints = {
                "X-Repo-Commit": commit_of(kind, name),
                "X-Xet-Hash": "ab" * 32,
                "X-Linked-Etag": '"' + hashlib.sha256(data).hexdigest() + '"',
                "X-Linked-Size": str(len(data)),
                "Link": f'<http://cas.example/api/{kind}/{name}/xet-read-token>; rel="xet-auth"',
            }
            quoted = f"/cdn/{kind}/{urllib.parse.quote(name, safe='')}/{urllib.parse.quote(path)}"
            return self.redirect(f"http://localhost:{port}{quoted}?secret=1", hints)
        self.send_bytes(data, {"X-Repo-Commit": commit_of(kind, name), "ETag": '"' + entry(path, data)["oid"] + '"'})

    def redirect(self, place, headers=None):
        self.send_response(307)
        self.send_header("Location", place)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def refuse(self, status, code):
        body = json.dumps({"error": code}).encode()
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, value, headers=None):
        body = json.dumps(value).encode()
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            headers = {**(headers or {}), "Content-Encoding": "gzip"}
        self.send_response(200)
        for name, value in {**(headers or {}), "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_bytes(self, data, headers=None):
        start = 0
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes="):
            start = int(asked[6:].split("-")[0])
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        with LOCK:
            breaks = os.path.exists(os.path.join(ROOT, ".break")) and self.path not in BROKEN and len(data) > 1
            BROKEN.add(self.path)
        if breaks:
            self.wfile.write(data[start : len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.wfile.write(data[start:])


def bytes_of(kind, name, path):
    return dict(files_of(kind, name)).get(path)


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        # Who asked is gone, as half of those are that break off.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


server = Server(("127.0.0.1", 0), Hub)
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
