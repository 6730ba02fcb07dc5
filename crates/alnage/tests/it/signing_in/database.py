"""PostgreSQL that takes nobody but under TLS, and whom the registry believes to be it."""

import glob
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fleet"))

from members import free_port, start, wait_for  # noqa: E402


def begin(folder, certificate):
    """Starts it with the certificate `certificate`.crt; gives its port."""
    tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    place = os.path.join(folder, "postgres")
    os.makedirs(place)
    shutil.chown(place, "nobody")
    os.chmod(folder, 0o711)
    nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
    data, port = os.path.join(place, "data"), free_port()
    made = [*nobody, f"{tools}/initdb", "--no-sync", "--auth=trust", "--username=alnage", "--encoding=UTF8", "--no-locale", "-D", data]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd="/")
    for end in (".crt", ".key"):
        shutil.copy(certificate + end, os.path.join(place, "server" + end))
        os.chmod(os.path.join(place, "server" + end), 0o600)
        shutil.chown(os.path.join(place, "server" + end), "nobody")
    with open(os.path.join(data, "pg_hba.conf"), "w") as file:
        file.write("local all all trust\nhostssl all all 127.0.0.1/32 trust\n")
    start([*nobody, f"{tools}/postgres", "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-c", "fsync=off", "-c", "ssl=on",
           "-c", f"ssl_cert_file={place}/server.crt", "-c", f"ssl_key_file={place}/server.key", "-D", data, "-k", place],
          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    wait_for("PostgreSQL", lambda: subprocess.run([f"{tools}/pg_isready", "-q", "-h", place, "-p", str(port)]).returncode == 0)
    return port


def serves(alnage, folder, name, url):
    """What a server says that is started over the database at `url`: its address, or why not."""
    server = subprocess.Popen([alnage, "serve", "--data", os.path.join(folder, name), "--listen", "127.0.0.1:0", "--offline", "--database", url],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""
    try:
        for line in server.stdout:
            said += line
            if "listening" in line:
                break
        return said
    finally:
        server.kill()
        server.wait()
