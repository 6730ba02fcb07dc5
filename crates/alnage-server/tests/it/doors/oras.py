"""Pushes a folder with ORAS and pulls it again. Usage: oras.py URL TOKEN NAME FOLDER. Says which files came back."""

import os
import sys

url, token, name, folder = sys.argv[1:]
sys.path.pop(0)  # this file's name is the library's

import oras.client  # noqa: E402

host = url.removeprefix("http://")
client = oras.client.OrasClient(hostname=host, insecure=True, auth_backend="basic")
client.auth.set_basic_auth("robot", token)
os.chdir(folder)
files = sorted(os.listdir("."))
client.push(target=f"{host}/{name}:v1", files=files, disable_path_validation=True)
out = os.path.join(folder, "..", "pulled")
client.pull(target=f"{host}/{name}:v1", outdir=out)
for file in files:
    with open(file, "rb") as sent, open(os.path.join(out, file), "rb") as came:
        assert sent.read() == came.read(), file
print(" ".join(files))
