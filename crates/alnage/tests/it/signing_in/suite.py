"""People sign in over TLS at an identity provider that stands in for the real one, and are refused for every lie of it.

Usage: suite.py ALNAGE FOLDER. The last line of output says how much was compared; any other end is a failure.
"""

import base64
import datetime
import hashlib
import http.client
import http.server
import ipaddress
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import database
import members
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

ALNAGE, FOLDER = sys.argv[1:]
DONE = 0


def same(found, wanted, what=""):
    global DONE
    assert found == wanted, f"{what}: {found} is not {wanted}"
    DONE += 1


def encoded(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


class Key:
    def __init__(self, name, algorithm):
        self.name, self.algorithm = name, algorithm
        self.secret = rsa.generate_private_key(65537, 2048) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())

    def published(self):
        numbers = self.secret.public_key().public_numbers()
        if self.algorithm == "RS256":
            kind = {"kty": "RSA", "n": encoded(numbers.n.to_bytes(256, "big")), "e": encoded(numbers.e.to_bytes(3, "big"))}
        else:
            kind = {"kty": "EC", "crv": "P-256", "x": encoded(numbers.x.to_bytes(32, "big")), "y": encoded(numbers.y.to_bytes(32, "big"))}
        return {**kind, "kid": self.name, "use": "sig", "alg": self.algorithm}

    def sign(self, claims, algorithm=None):
        head = {"alg": algorithm or self.algorithm, "kid": self.name, "typ": "JWT"}
        text = f"{encoded(head)}.{encoded(claims)}"
        if self.algorithm == "RS256":
            signature = self.secret.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        else:
            first, second = decode_dss_signature(self.secret.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
            signature = first.to_bytes(32, "big") + second.to_bytes(32, "big")
        return f"{text}.{encoded(signature)}"


class Provider(http.server.ThreadingHTTPServer):
    """It knows one person, and lies as it is told to."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.keys = [Key("first", "RS256")]
        self.codes = {}
        self.change = lambda claims: None
        self.sign = lambda claims: self.keys[-1].sign(claims)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def authorize(self, query):
        """What the person's browser does there: gives a code, and where to go with it."""
        code = encoded(os.urandom(12))
        self.codes[code] = query
        return code


class Answers(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def send(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        here = self.server.url
        if self.path == "/.well-known/openid-configuration":
            return self.send({"issuer": here, "authorization_endpoint": f"{here}/authorize", "token_endpoint": f"{here}/token", "jwks_uri": f"{here}/keys"})
        if self.path == "/keys":
            return self.send({"keys": [key.published() for key in self.server.keys]})
        self.send({}, 404)

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        asked = self.server.codes.pop(form.get("code"), None)
        challenge = encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        proven = asked and challenge == asked["code_challenge"] and form["client_secret"] == "open sesame"
        if not proven or form["redirect_uri"] != asked["redirect_uri"]:
            return self.send({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.server.url, "sub": "42", "aud": "alnage", "exp": now + 300, "iat": now, "nonce": asked["nonce"],
                  "preferred_username": "ada", "groups": ["risk"]}
        self.server.change(claims)
        self.send({"access_token": "nothing", "token_type": "Bearer", "id_token": self.server.sign(claims)})


def certificate(name, path, authority=True):
    """A certificate of its own for loopback, and its key, put in place at once."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2)).add_extension(names, False)
            .add_extension(x509.BasicConstraints(authority, None), True).sign(key, hashes.SHA256()))
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for end, content in ((".key", secret), (".crt", made.public_bytes(serialization.Encoding.PEM))):
        with open(path + end + ".new", "wb") as file:
            file.write(content)
        os.rename(path + end + ".new", path + end)


class Browser:
    """Keeps cookies, and trusts the certificate that is there now."""

    def __init__(self, port):
        self.port, self.cookies = port, {}

    def ask(self, method, path, body=None, **headers):
        context = ssl.create_default_context(cafile=os.path.join(FOLDER, "server.crt"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            assert "HttpOnly" in cookie and "Secure" in cookie, cookie
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def sign_in(self, provider, change_query=lambda query: None):
        status, headers, text = self.ask("GET", "/auth/oidc/start?next=/console")
        same(status, 303, text)
        place = urllib.parse.urlsplit(headers["Location"])
        query = dict(urllib.parse.parse_qsl(place.query))
        same((query["response_type"], query["client_id"], query["code_challenge_method"]), ("code", "alnage", "S256"))
        back = {"state": query["state"], "code": provider.authorize(query)}
        change_query(back)
        status, _, text = self.ask("GET", "/auth/oidc/callback?" + urllib.parse.urlencode(back))
        return status, text


def main():
    certificate("first", os.path.join(FOLDER, "server"))
    provider = Provider()
    with open(os.path.join(FOLDER, "secret"), "w") as file:
        file.write("open sesame\n")
    listener = http.server.HTTPServer(("127.0.0.1", 0), None)
    port = listener.server_address[1]
    listener.server_close()
    server = subprocess.Popen(
        [ALNAGE, "serve", "--data", os.path.join(FOLDER, "data"), "--listen", f"127.0.0.1:{port}", "--offline",
         "--public-url", f"https://127.0.0.1:{port}", "--tls-cert", os.path.join(FOLDER, "server.crt"),
         "--tls-key", os.path.join(FOLDER, "server.key"), "--oidc-issuer", provider.url, "--oidc-client-id", "alnage",
         "--oidc-client-secret-file", os.path.join(FOLDER, "secret"), "--oidc-roles", "risk=reviewer", "--oidc-everybody", "viewer"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        lines = []
        for line in server.stdout:
            lines.append(line)
            if "hf_" in line:
                break
        token = re.search(r"hf_\w+", "".join(lines)).group()
        threading.Thread(target=lambda: [None for _ in server.stdout], daemon=True).start()
        over_tls(port, token)
        at_the_provider(port, provider)
    finally:
        server.kill()
    try:
        over_a_database_under_tls()
    finally:
        members.end()
    print(f"{DONE} answers")


def over_tls(port, token):
    """Old connections and old certificates are refused; a new certificate is taken without a restart."""
    browser = Browser(port)
    status, headers, text = browser.ask("GET", "/api/whoami-v2", authorization=f"Bearer {token}")
    same((status, json.loads(text)["name"]), (200, "admin"))
    plain = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        plain.request("GET", "/healthz")
        raise AssertionError(f"answered {plain.getresponse().status} without TLS")
    except (http.client.HTTPException, OSError):
        plain.close()
    old = ssl.create_default_context(cafile=os.path.join(FOLDER, "server.crt"))
    certificate("second", os.path.join(FOLDER, "server"))
    same(browser.ask("GET", "/healthz")[0], 200)
    try:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=old)
        connection.request("GET", "/healthz")
        raise AssertionError("the old certificate is still shown")
    except ssl.SSLCertVerificationError:
        connection.close()
    # What cannot be read is not taken; what there was is shown on.
    place = os.path.join(FOLDER, "server.key")
    kept = open(place).read()
    with open(place, "w") as file:
        file.write("half a key")
    os.utime(os.path.join(FOLDER, "server.crt"))
    same(browser.ask("GET", "/healthz")[0], 200)
    with open(place, "w") as file:
        file.write(kept)


def over_a_database_under_tls():
    """PostgreSQL shows who it is, or nothing is told to it."""
    for name in ("database", "stranger"):
        certificate(name, os.path.join(FOLDER, name), False)
    port = database.begin(FOLDER, os.path.join(FOLDER, "database"))
    own, strange = (f"sslrootcert={FOLDER}/{name}.crt" for name in ("database", "stranger"))
    table = [
        ("127.0.0.1", f"sslmode=verify-full&{own}", "listening"),
        ("127.0.0.1", f"sslmode=require&{own}", "listening"),
        ("127.0.0.1", f"sslmode=verify-full&{strange}", "certificate"),
        ("127.0.0.1", "sslmode=require", "certificate"),
        ("localhost", f"sslmode=verify-full&{own}", "certificate"),
        ("127.0.0.1", "sslmode=disable", "no encryption"),
        ("127.0.0.1", "sslmode=sometimes", "sslmode"),
    ]
    for number, (host, query, wanted) in enumerate(table):
        said = database.serves(ALNAGE, FOLDER, f"over{number}", f"postgres://alnage@{host}:{port}/postgres?{query}")
        same((wanted in said, "listening" in said), (True, wanted == "listening"), f"{host} {query}: {said}")


def at_the_provider(port, provider):
    browser = Browser(port)
    status, text = browser.sign_in(provider)
    same((status, "url=/console" in text), (200, True), text)
    status, _, text = browser.ask("GET", "/api/v1/whoami")
    same((status, json.loads(text)["name"]), (200, "ada"), text)
    same("reviewer" in text and "viewer" in text, True, text)

    def lies(what, change, why):
        provider.change = change
        stranger = Browser(port)
        status, text = stranger.sign_in(provider)
        same((status, why in text), (401, True), f"{what}: {status} {text}")
        same(stranger.ask("GET", "/api/v1/whoami")[0], 401, what)
        provider.change = lambda claims: None

    now = int(time.time())
    lies("nonce", lambda claims: claims.update(nonce="another"), "another login")
    lies("no nonce", lambda claims: claims.pop("nonce"), "another login")
    lies("aud", lambda claims: claims.update(aud="somebody"), "somebody else")
    lies("azp", lambda claims: claims.update(aud=["alnage", "x"], azp="x"), "somebody else")
    lies("iss", lambda claims: claims.update(iss="https://evil.example"), "somebody else")
    lies("exp", lambda claims: claims.update(exp=now - 120), "time is over")
    lies("no exp", lambda claims: claims.pop("exp"), "no end")
    lies("nbf", lambda claims: claims.update(nbf=now + 900), "not begun")
    lies("sub", lambda claims: claims.pop("sub"), "names nobody")

    honest = provider.sign
    forger, public = Key("first", "RS256"), provider.keys[0].published()["n"]
    by_hmac = Key("first", "RS256")
    for what, sign in {
        "another key under the name": forger.sign,
        "no algorithm": lambda claims: f"{encoded({'alg': 'none', 'kid': 'first'})}.{encoded(claims)}.",
        "another algorithm": lambda claims: by_hmac.sign(claims, "HS256"),
        "changed": lambda claims: re.sub(r"\.[^.]+\.", "." + encoded({**claims, "sub": public[:8]}) + ".", honest(claims)),
    }.items():
        provider.sign = sign
        status, text = Browser(port).sign_in(provider)
        same((status, "signed it" in text), (401, True), f"{what}: {text}")
    provider.sign = honest

    # Codes and states are of one login and one browser.
    for change in (lambda back: back.update(state="another"), lambda back: back.update(code="another"), lambda back: back.update(code="", error="access_denied")):
        status, text = Browser(port).sign_in(provider, change)
        same(status in (401, 503), True, text)
    status, headers, _ = browser.ask("GET", "/auth/oidc/start")
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(headers["Location"]).query))
    back = urllib.parse.urlencode({"state": query["state"], "code": provider.authorize(query)})
    same(Browser(port).ask("GET", f"/auth/oidc/callback?{back}")[0], 401, "in another browser")
    same(browser.ask("GET", f"/auth/oidc/callback?{back}")[0], 200)
    same(browser.ask("GET", f"/auth/oidc/callback?{back}")[0], 401, "twice")

    # Keys change: the new one, of another kind, is asked for as soon as somebody shows it, and the old one is no longer good.
    old = provider.keys[0]
    provider.keys = [Key("second", "ES256")]
    status, text = Browser(port).sign_in(provider)
    same(status, 200, text)
    provider.sign = old.sign
    status, text = Browser(port).sign_in(provider)
    same((status, "signed it" in text), (401, True), text)


main()
