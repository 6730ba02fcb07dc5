"""Does what a user of huggingface_hub does, and says in one line of JSON how it went.

Usage: client.py WHAT REPO [ARGUMENTS]. The version of huggingface_hub is the one on PYTHONPATH. No connection leaves
loopback: one that would is an error.
"""

import json
import os
import socket
import sys
import warnings

warnings.simplefilter("ignore")

connect = socket.socket.connect


def guarded(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        print(json.dumps({"left": str(address)}))
        os._exit(3)
    return connect(self, address)


socket.socket.connect = guarded

import huggingface_hub as hub  # noqa: E402


def snapshot(repo, revision=None, kind=None):
    place = hub.snapshot_download(repo, revision=revision or None, repo_type=kind or None)
    names = []
    for folder, _, files in os.walk(place):
        names += [os.path.relpath(os.path.join(folder, file), place) for file in files]
    return {"commit": os.path.basename(place), "files": sorted(names)}


def file(repo, path, revision=None):
    with open(hub.hf_hub_download(repo, path, revision=revision or None), "rb") as opened:
        return {"length": len(opened.read())}


def upload(repo, folder, kind=None):
    api = hub.HfApi()
    api.create_repo(repo, repo_type=kind or None, exist_ok=True)
    info = api.upload_folder(repo_id=repo, folder_path=folder, repo_type=kind or None, commit_message="Add it")
    return {"commit": info.oid}


def race(repo):
    """Commits from many threads at once."""
    from concurrent.futures import ThreadPoolExecutor

    api = hub.HfApi()
    api.create_repo(repo)
    api.upload_file(path_or_fileobj=b"first", path_in_repo="first.txt", repo_id=repo)

    def send(number):
        api.upload_file(path_or_fileobj=b"%d" % number, path_in_repo=f"{number}.txt", repo_id=repo)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(send, range(6)))
    return {"done": True}


def delete(repo, path):
    return {"commit": hub.HfApi().delete_file(path, repo).oid}


def look(repo):
    api = hub.HfApi()
    info = api.model_info(repo, files_metadata=True)
    tree = list(api.list_repo_tree(repo, recursive=True, expand=True))
    files = [entry for entry in tree if hasattr(entry, "size")]
    paths = api.get_paths_info(repo, [files[0].path, "missing"])
    refs = api.list_repo_refs(repo)
    commits = api.list_repo_commits(repo)
    return {
        "sha": info.sha,
        "siblings": sorted(one.rfilename for one in info.siblings),
        "tree": sorted(entry.path for entry in tree),
        "safe": all(one.security and one.security.get("status", "") == "safe" if isinstance(one.security, dict) else one.security.safe for one in files),
        "paths": [one.path for one in paths],
        "branches": [[one.name, one.target_commit] for one in refs.branches],
        "commits": [one.commit_id for one in commits],
        "exists": [api.repo_exists(repo), api.file_exists(repo, files[0].path), api.file_exists(repo, "missing")],
        "xet": [getattr(one, "xet_hash", None) for one in files if getattr(one, "xet_hash", None)],
        "listed": [one.id for one in api.list_models(search=repo.split("/")[-1])],
    }


def whoami(_):
    return {"name": hub.whoami()["name"]}


def raw(method, path, part):
    import urllib.request

    request = urllib.request.Request(os.environ["HF_ENDPOINT"] + path, method=method)
    if part:
        request.add_header("Range", part)
    if os.environ.get("HF_TOKEN"):
        request.add_header("Authorization", "Bearer " + os.environ["HF_TOKEN"])
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {"status": answer.status, "headers": headers, "length": len(answer.read())}


def main():
    what, *arguments = sys.argv[1:]
    try:
        told = globals()[what](*arguments)
    except Exception as error:  # noqa: BLE001
        told = {"error": type(error).__name__, "text": str(error)}
    print(json.dumps(told))


main()
