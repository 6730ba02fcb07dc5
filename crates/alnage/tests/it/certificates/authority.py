"""A timestamp authority over HTTP in the directory where it runs: what is asked at /stamp is answered by `openssl ts` as
tsa.cnf says; the other paths answer what no signer may take. Prints its address."""

import http.server
import subprocess


def openssl(*words):
    subprocess.run(["openssl", "ts", *words], check=True, stderr=subprocess.DEVNULL)


def reply(query):
    openssl("-reply", "-config", "tsa.cnf", "-queryfile", query, "-out", "response.tsr")
    with open("response.tsr", "rb") as file:
        return file.read()


class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = 200, b""
        if self.path == "/down" or self.headers["Content-Type"] != "application/timestamp-query":
            status = 503
        elif self.path == "/stamp":
            with open("query.tsq", "wb") as file:
                file.write(asked)
            answer = reply("query.tsq")
        elif self.path == "/other":
            openssl("-query", "-data", "tsa.cnf", "-sha256", "-cert", "-out", "query.tsq")
            answer = reply("query.tsq")
        elif self.path == "/bare":
            # The last field of a query says whether certificates are wanted: 01 01 ff.
            assert asked.endswith(b"\x01\x01\xff")
            with open("query.tsq", "wb") as file:
                file.write(asked[:1] + bytes([asked[1] - 3]) + asked[2:-3])
            answer = reply("query.tsq")
        elif self.path == "/refused":
            # SHA-1, which the authority does not take.
            openssl("-query", "-data", "tsa.cnf", "-sha1", "-out", "query.tsq")
            answer = reply("query.tsq")
        self.send_response(status)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Authority)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
