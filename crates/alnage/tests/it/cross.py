"""Signs and verifies with model_signing as told on standard input, one JSON object a line."""

import datetime
import json
import pathlib
import sys

import model_signing.hashing
import model_signing.signing
import model_signing.verifying
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CURVES = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}


def hashing_config(request):
    config = model_signing.hashing.Config()
    algorithm = {"sha256": "sha256", "blake2b": "blake2", "blake3": "blake3"}[request["hash"]]
    if request.get("shard_size"):
        config.use_shard_serialization(hashing_algorithm=algorithm, shard_size=request["shard_size"])
    else:
        config.use_file_serialization(hashing_algorithm=algorithm)
    # From the API, ignored paths are seen from the model.
    return config.set_ignored_paths(paths=["model.sig"], ignore_git_paths=True)


def sign(request):
    config = model_signing.signing.Config()
    if request["method"] == "key":
        config.use_elliptic_key_signer(private_key=request["key"])
    else:
        config.use_certificate_signer(
            private_key=request["key"],
            signing_certificate=request["certificate"],
            certificate_chain=[request["chain"]],
        )
    config.set_hashing_config(hashing_config(request))
    config.sign(request["model"], request["signature"])


def verify(request):
    config = model_signing.verifying.Config()
    if request["method"] == "key":
        config.use_elliptic_key_verifier(public_key=request["key"])
    else:
        config.use_certificate_verifier(certificate_chain=[request["ca"]])
    config.verify(pathlib.Path(request["model"]), pathlib.Path(request["signature"]))


def pki(request):
    """A root, an authority below it, and a signer: PEM files in a directory."""
    curve = CURVES[request["curve"]]()
    folder = pathlib.Path(request["folder"])
    folder.mkdir()
    now = datetime.datetime.now(datetime.timezone.utc)
    keys = {}

    def certificate(name, issuer, authority):
        keys[name] = ec.generate_private_key(curve)
        public = keys[name].public_key()
        by = keys[issuer]
        title = lambda text: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
        usage = dict.fromkeys(
            ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"],
            False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(title(name))
            .issuer_name(title(issuer))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        )
        made = builder.sign(by, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    root = certificate("root", "root", True)
    authority = certificate("authority", "root", True)
    leaf = certificate("signer", "authority", False)
    private = keys["signer"].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name, content in [
        ("ca.pem", root),
        ("leaf.pem", leaf),
        ("chain.pem", authority + root),
        ("key.pem", private),
    ]:
        (folder / name).write_bytes(content)


WORK = {"sign": sign, "verify": verify, "pki": pki}

for line in sys.stdin:
    request = json.loads(line)
    try:
        WORK[request["do"]](request)
        answer = {"error": None}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
