"""A second implementation of the log, written from RFC 6962 and the C2SP specifications alone.

`second.py vectors` prints trees with proofs; `second.py check DIR KEYS` verifies a log's directory down to every bit.
"""

import base64
import hashlib
import json
import random
import struct
import sys
from pathlib import Path


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf(data):
    return sha256(b"\0" + data)


def node(left, right):
    return sha256(b"\1" + left + right)


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


class Tree:
    """MTH, PATH and SUBPROOF of RFC 6962, 2.1; what was computed is kept."""

    def __init__(self, leaves):
        self.leaves = leaves
        self.known = {}

    def root(self, start, end):
        if end == start:
            return sha256(b"")
        if end - start == 1:
            return self.leaves[start]
        if (start, end) not in self.known:
            k = start + split(end - start)
            self.known[start, end] = node(self.root(start, k), self.root(k, end))
        return self.known[start, end]

    def path(self, m, start, end):
        if end - start <= 1:
            return []
        k = split(end - start)
        if m < k:
            return self.path(m, start, start + k) + [self.root(start + k, end)]
        return self.path(m - k, start + k, end) + [self.root(start, start + k)]

    def subproof(self, m, start, end, known):
        n = end - start
        if m == n:
            return [] if known else [self.root(start, end)]
        k = split(n)
        if m <= k:
            return self.subproof(m, start, start + k, known) + [self.root(start + k, end)]
        return self.subproof(m - k, start + k, end, False) + [self.root(start, start + k)]


def hexes(hashes):
    return [h.hex() for h in hashes]


def vectors():
    random.seed(6962)
    tree = Tree([leaf(b"entry %d" % i) for i in range(3000)])
    large = [127, 128, 129, 255, 256, 257, 511, 512, 513, 767, 1000, 1024, 1025, 2047, 2999, 3000]
    for size in list(range(1, 75)) + large:
        if size < 75:
            indices, olds = range(size), range(1, size + 1)
        else:
            indices = sorted({0, size - 1, *random.sample(range(size), 12)})
            olds = sorted({1, size - 1, size, *random.sample(range(1, size), 12)})
        inclusion = [[i, hexes(tree.path(i, 0, size))] for i in indices]
        consistency = [[old, tree.root(0, old).hex(), hexes(tree.subproof(old, 0, size, True))] for old in olds]
        root = tree.root(0, size).hex()
        print(json.dumps({"size": size, "root": root, "inclusion": inclusion, "consistency": consistency}))


def verify_signature(key, lines, text, origin, size, root):
    from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

    name, key_id, encoded = key.split("+", 2)
    encoded = base64.b64decode(encoded)
    kind, public = encoded[0], encoded[1:]
    assert sha256(name.encode() + b"\n" + encoded)[:4].hex() == key_id
    blobs = [base64.b64decode(line.split(" ")[2]) for line in lines if line.split(" ")[1] == name]
    (signature,) = [blob[4:] for blob in blobs if blob[:4].hex() == key_id]
    if kind == 1:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
        return
    (time,), signature = struct.unpack(">Q", signature[:8]), signature[8:]
    if kind == 4:
        message = b"cosignature/v1\ntime %d\n" % time + text
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return
    assert kind == 6
    message = b"subtree/v1\n\0" + bytes([len(name)]) + name.encode() + struct.pack(">Q", time)
    message += bytes([len(origin)]) + origin.encode() + struct.pack(">QQ", 0, size) + root
    mldsa.MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)


def object_name(n, width):
    name = "%03d" % (n % 1000)
    while n >= 1000:
        n //= 1000
        name = "x%03d/%s" % (n % 1000, name)
    return name if width == 256 else "%s.p/%d" % (name, width)


def check(directory, keys):
    directory = Path(directory)
    text, signatures = (directory / "checkpoint").read_bytes().rsplit(b"\n\n", 1)
    text += b"\n"
    origin, size, root = text.decode().splitlines()
    size, root = int(size), base64.b64decode(root)
    for key in keys:
        verify_signature(key, signatures.decode().splitlines(), text, origin, size, root)

    leaves = []
    for n in range((size + 255) // 256):
        width = min(256, size - n * 256)
        bundle = (directory / "tile/entries" / object_name(n, width)).read_bytes()
        while bundle:
            (length,) = struct.unpack(">H", bundle[:2])
            leaves.append(leaf(bundle[2 : 2 + length]))
            bundle = bundle[2 + length :]
    assert len(leaves) == size
    tree = Tree(leaves)
    assert tree.root(0, size) == root
    level = 0
    while size >> (8 * level):
        count, span = size >> (8 * level), 256**level
        for n in range((count + 255) // 256):
            width = min(256, count - n * 256)
            stored = (directory / "tile" / str(level) / object_name(n, width)).read_bytes()
            first = n * 256
            assert stored == b"".join(tree.root(i * span, (i + 1) * span) for i in range(first, first + width))
        level += 1
    print(size, root.hex())


if sys.argv[1] == "vectors":
    vectors()
else:
    check(sys.argv[2], sys.argv[3:])
