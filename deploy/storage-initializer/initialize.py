"""Downloads models through the registry and verifies them; whatever goes wrong, the pod does not start.

KServe calls it as `initialize.py SOURCE TARGET [SOURCE TARGET …]`, with sources like `hf://org/name:revision`.

HF_ENDPOINT    the registry; there is no default, so that nothing is fetched from elsewhere
ALNAGE_VERIFY  `seal` (verify each model's seal), `vet` (only a verdict of `pass` will do), or both: `seal,vet`. `vet` by default
ALNAGE_TRUST   arguments for `alnage verify`; `--key /etc/alnage/key.pub` by default
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

COMMIT = re.compile(r"[0-9a-f]{40}")


def fail(message):
    sys.exit(f"alnage: {message}")


def parse(source):
    """The repository and the revision that `source` names."""
    if not source.startswith("hf://"):
        fail(f"`{source}` is not `hf://org/name:revision`")
    repository, separator, revision = source.removeprefix("hf://").rstrip("/").replace("@", ":").partition(":")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", repository) or (separator and not revision):
        fail(f"`{source}` names no repository")
    return repository, revision or "main"


def download(repository, revision, target):
    # Imported here: the endpoint has to be known first.
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(repository, revision=revision, local_dir=target)
    except Exception as error:  # whatever it is, there is no model
        fail(f"`{repository}` at `{revision}`: {error}")
    # What the client remembers of the download is no part of the model.
    shutil.rmtree(target / ".cache", ignore_errors=True)


def verify(target):
    """Runs what ALNAGE_VERIFY asks for over the files as they are on the disk."""
    program = os.environ.get("ALNAGE", "alnage")
    commands = {
        "seal": [program, "verify", str(target), *shlex.split(os.environ.get("ALNAGE_TRUST", "--key /etc/alnage/key.pub"))],
        "vet": [program, "vet", "--fail-on", "unknown", str(target)],
    }
    wanted = [name.strip() for name in os.environ.get("ALNAGE_VERIFY", "vet").split(",") if name.strip()]
    if not wanted:
        fail("ALNAGE_VERIFY is empty: nothing would be verified")
    for name in wanted:
        if name not in commands:
            fail(f"ALNAGE_VERIFY: `{name}` is neither `seal` nor `vet`")
        try:
            code = subprocess.run(commands[name], check=False).returncode
        except OSError as error:
            fail(f"cannot start `{program}`: {error}")
        if code != 0:
            fail(f"{name}: exit code {code}; the model is not used")


def empty(target):
    """Leaves nothing that a server could load."""
    for path in target.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def main(arguments):
    if not arguments or len(arguments) % 2:
        fail("usage: initialize.py SOURCE TARGET [SOURCE TARGET …]")
    if not os.environ.get("HF_ENDPOINT"):
        fail("HF_ENDPOINT is not set: it is the registry's address")
    for source, target in zip(arguments[::2], map(Path, arguments[1::2])):
        repository, revision = parse(source)
        if not COMMIT.fullmatch(revision):
            print(f"alnage: `{source}` is not pinned to a commit", file=sys.stderr)
        target.mkdir(parents=True, exist_ok=True)
        try:
            download(repository, revision, target)
            verify(target)
        except BaseException:
            empty(target)
            raise
        print(f"alnage: `{source}` is in {target}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
