"""Has every stock client do what its users do, against a registry of the program itself.

Usage: suite.py ALNAGE UPSTREAM FOLDER small|large PEERS. `small` is one server over SQLite and a directory; `large` is two
servers over PostgreSQL and an S3 server, which clients use in turn. PEERS has the clients, each in a folder of its own.
The last line of output says what was done; any other end is a failure.
"""

import json
import os
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../fleet"))

from members import end, registry  # noqa: E402

import raw  # noqa: E402

ALNAGE, UPSTREAM, FOLDER, SIZE, PEERS = sys.argv[1:]
TOKEN = "hf_" + "Clients0fTheAlnage".ljust(40, "x")[:40]
HUBS = ["0.36.2", "1.10.2", "2.4.0"]
LOADERS = "5.23.0"
WEAPON = b"cos\nsystem\n(S'id'\ntR."


def safetensors(length):
    header = json.dumps({"w": {"dtype": "U8", "shape": [length], "data_offsets": [0, length]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(place % 251 for place in range(length))


def gguf():
    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + text("general.architecture") + struct.pack("<I", 8) + text("llama")
    head += text("w") + struct.pack("<IQIQ", 1, 8, 0, 0)
    return head + bytes(-len(head) % 32 + 32)


CONFIG = {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 8, "num_hidden_layers": 1,
          "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 7, "max_position_embeddings": 16}
VOCABULARY = {word: place for place, word in enumerate(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "hello", "world"])}
TOKENIZER = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
             "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
             "model": {"type": "WordLevel", "vocab": VOCABULARY, "unk_token": "[UNK]"}}
REPOSITORIES = {
    "models/acme/good": {"README.md": "---\nlicense: apache-2.0\n---\n# Good\n", "config.json": json.dumps(CONFIG),
                         "model.safetensors": safetensors(4000), "sub/a b+c.txt": "hi", "sub/deep/x.json": "{}"},
    "models/acme/large": {"config.json": json.dumps(CONFIG), "model.safetensors": safetensors(12_000_000)},
    "models/acme/bad": {"config.json": json.dumps(CONFIG), "pytorch_model.bin": WEAPON},
    "models/acme/tiny": {"config.json": json.dumps(CONFIG), "model.safetensors": safetensors(40),
                         "tokenizer.json": json.dumps(TOKENIZER), "generation_config.json": '{"max_length": 5}',
                         "tokenizer_config.json": '{"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}'},
    "models/acme/llama-gguf": {"config.json": "{}", "model-Q4_K_M.gguf": gguf()},
    "models/solo": {"config.json": json.dumps(CONFIG), "model.safetensors": safetensors(50)},
    "datasets/acme/data": {"README.md": "---\nlicense: mit\n---\n", "data/train.csv": "a,b\n1,2\n3,4\n", "data/test.csv": "a,b\n5,6\n"},
    "datasets/acme/lines": {"train.jsonl": '{"a": 1}\n{"a": 2}\n'},
}


def seed():
    for repository, files in REPOSITORIES.items():
        for path, content in files.items():
            place = os.path.join(FOLDER, "upstream", repository, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())


class User:
    """Somebody with one version of the clients and a home of their own."""

    def __init__(self, version, servers):
        self.version, self.servers, self.turn = version, servers, 0
        self.home = os.path.join(FOLDER, "homes", version)
        os.makedirs(self.home, exist_ok=True)

    def run(self, command, token=TOKEN, fails=False):
        packages = os.path.join(PEERS, "hub", self.version)
        self.turn += 1
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": self.home, "HF_HOME": os.path.join(self.home, "hf"), "NO_COLOR": "1",
            "HF_ENDPOINT": f"http://127.0.0.1:{self.servers[self.turn % len(self.servers)].port}",
            "PYTHONPATH": os.pathsep.join([os.path.join(HERE, "guard"), packages]), "PYTHONDONTWRITEBYTECODE": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "COLUMNS": "200",
            # What is no Python takes these: nobody is there.
            "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost",
        }
        if token:
            environment["HF_TOKEN"] = token
        done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=600, cwd=self.home)
        said = done.stderr + done.stdout
        wrong = done.returncode == 99 or (done.returncode == 0) == fails or "Traceback" in said and not fails
        assert not wrong, f"{self.version}: {command} ended with {done.returncode}: {said[-6000:]}"
        return said

    def hf(self, *arguments, **more):
        return self.run([os.path.join(PEERS, "hub", self.version, "bin/hf"), *arguments], **more)


def cli(user):
    """The `hf` command of each version."""
    tag = user.version.replace(".", "-")
    name, good = f"team/cli-{tag}", os.path.join(FOLDER, "upstream/models/acme/good")
    user.hf("auth", "login", "--token", TOKEN, token=None)
    assert "admin" in user.hf("auth", "whoami", token=None)
    place = user.hf("download", "acme/good", "config.json").split()[-1]
    assert json.load(open(place)) == CONFIG, place
    out = os.path.join(user.home, "out")
    user.hf("download", "acme/good", "--include", "*.json", "--local-dir", out)
    assert os.path.exists(os.path.join(out, "sub/deep/x.json")) and not os.path.exists(os.path.join(out, "model.safetensors"))
    user.hf("download", "acme/data", "--repo-type", "dataset", "--revision", "main", "--quiet")
    said = user.hf("download", "acme/bad", fails=True)
    assert "ALNAGE: acme/bad" in said, said
    user.hf("download", "acme/none", fails=True)
    said = user.hf("upload", name, good)
    assert re.search(r"http://127\.0\.0\.1:\d+/team/", said), said
    user.hf("upload", name, os.path.join(good, "config.json"), "other.json", "--commit-message", "another")
    said = user.hf("upload", name, good, ".", "--create-pr", fails=True)
    assert "no pull requests" in said, said
    user.hf("upload", name, good, ".", "--include", "*.json", "--delete", "*.txt")
    # Whoever may write sees what was written.
    left = user.hf("download", name, "--local-dir", os.path.join(user.home, "left"))
    left = sorted(os.listdir(os.path.join(user.home, "left")))
    assert left == [".cache", "README.md", "config.json", "model.safetensors", "other.json", "sub"], left
    assert not os.path.exists(os.path.join(user.home, "left/sub/a b+c.txt"))
    new = user.version.startswith("2")
    user.hf(*(("repos", "delete-files") if new else ("repo-files", "delete")), name, "other.json")
    repo = "repos" if new else "repo"
    user.hf(repo, "create", f"{name}-made")
    user.hf(repo, "tag", "create", name, "v1")
    assert "v1" in user.hf(repo, "tag", "list", name)
    user.hf(repo, "tag", "delete", name, "v1", "-y")
    if user.version == "0.36.2":
        return
    user.hf("repos", "branch", "create", name, "dev")
    user.hf("repos", "branch", "delete", name, "dev")
    assert "acme/good" in user.hf("models", "ls", "--search", "good")
    assert '"acme/good"' in user.hf("models", "info", "acme/good")
    assert "acme/data" in user.hf("datasets", "ls", "--search", "data")
    user.hf("cache", "verify", "acme/good")
    user.hf("repos", "delete", f"{name}-made", *(["--yes"] if new else []))
    if new:
        assert "config.json" in user.hf("download", "acme/good", "--dry-run")
        assert "config.json" in user.hf("models", "ls", "acme/good")


def main():
    seed()
    servers, _ = registry(ALNAGE, UPSTREAM, FOLDER, SIZE, TOKEN)
    done = 0
    for version in HUBS:
        user = User(version, servers)
        said = user.run([os.path.join(HERE, "api.py"), os.path.join(FOLDER, "upstream")])
        done += int(said.split()[-1])
        cli(user)
    said = User(LOADERS, servers).run([os.path.join(HERE, "load.py")])
    done += int(said.split()[-1])
    done += raw.ask_as_others(servers[-1].port, REPOSITORIES)
    print(f"{done} answers")


try:
    main()
finally:
    end()
