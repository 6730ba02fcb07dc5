"""Times opening and loading without a gate, behind `alnage run`, and on a host with `alnage guard-host`.

usage: gates.py ALNAGE DIRECTORY

Prints a JSON object: for each way, microseconds for opens and seconds for loading. The guard is measured as root, on a file
system of its own in mounts of its own.
"""

import json, os, pathlib, statistics, subprocess, sys, time

SIZE = 2 << 30
OPENS = 3000
TURNS = 5


def child(folder):
    """Measures in this process, once per line of standard input."""
    import safetensors.numpy

    def opens(path):
        begun = time.perf_counter()
        for _ in range(OPENS):
            os.close(os.open(path, os.O_RDONLY))
        return (time.perf_counter() - begun) / OPENS * 1e6

    files = {"no model": "plain/text", "small sealed": "small/model.safetensors", "long sealed": "long/model.safetensors"}
    for path in files.values():
        os.close(os.open(f"{folder}/{path}", os.O_RDONLY))
    got = {name: opens(f"{folder}/{path}") for name, path in files.items()}
    begun = time.perf_counter()
    total = sum(int(tensor[:1024].sum()) for tensor in safetensors.numpy.load_file(f"{folder}/long/model.safetensors").values())
    got["load"] = time.perf_counter() - begun
    assert total >= 0
    print(json.dumps(got))


def safetensors_file(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    pieces = max(1, size >> 26)
    each = size // pieces
    names = {f"w{n}": {"dtype": "U8", "shape": [each], "data_offsets": [n * each, (n + 1) * each]} for n in range(pieces)}
    header = json.dumps(names).encode()
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        piece = os.urandom(min(each, 1 << 20))
        for _ in range(pieces * each // len(piece)):
            file.write(piece)


def measured(prefix, folder):
    command = [*prefix, sys.executable, __file__, "--child", folder]
    runs = []
    for _ in range(TURNS):
        ran = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        runs.append(json.loads(ran.stdout))
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def main(alnage, directory):
    place = directory / "gated"
    as_root = os.geteuid() == 0
    if as_root:
        if "--inside" not in sys.argv:
            os.execvp("unshare", ["unshare", "--mount", sys.executable, __file__, alnage, str(directory), "--inside"])
        place.mkdir(exist_ok=True)
        image = directory / "gated.img"
        if not image.exists():
            with open(image, "wb") as file:
                file.truncate(3 << 30)
            subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, place], check=True)
    keys = directory / "gate-keys"
    if not keys.exists():
        subprocess.run([alnage, "keygen", "--out", keys], check=True, stdout=subprocess.DEVNULL)
    if not (place / "long/model.sig").exists():
        safetensors_file(place / "long/model.safetensors", SIZE)
        safetensors_file(place / "small/model.safetensors", 1 << 16)
        (place / "plain").mkdir(exist_ok=True)
        (place / "plain/text").write_text("plain text\n" * 100)
        for model in ("long", "small"):
            subprocess.run([alnage, "sign", place / model, "--key", keys / "signing.pem"], check=True, stdout=subprocess.DEVNULL)
        # Files that were changed a moment ago are not remembered.
        os.sync()
        time.sleep(90)
    trust = ["--key", str(keys / "signing.pub.pem"), "--log", str(directory / "gate-log")]
    folder = str(place)
    results = {"without": measured([], folder)}
    gate = [alnage, "run", *trust, "--"]
    begun = time.perf_counter()
    subprocess.run([*gate, sys.executable, __file__, "--child", folder], stdout=subprocess.DEVNULL, check=True)
    print(f"the first run took {time.perf_counter() - begun:.2f} s", file=sys.stderr)
    results["run"] = measured(gate, folder)
    results["without again"] = measured([], folder)
    if as_root:
        figures = directory / "guard.figures"
        figures.unlink(missing_ok=True)
        guard = subprocess.Popen([alnage, "guard-host", *trust, "--mount", folder, "--metrics", figures])
        try:
            while not figures.exists():
                assert guard.poll() is None, "the guard ended"
                time.sleep(0.05)
            results["guard"] = measured([], folder)
        finally:
            guard.terminate()
            guard.wait()
    print(json.dumps(results))


if sys.argv[1] == "--child":
    child(sys.argv[2])
else:
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
