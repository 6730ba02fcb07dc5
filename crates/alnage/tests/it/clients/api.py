"""Does what scripts do with `huggingface_hub`, whatever its version, and compares what comes back.

Usage: api.py FOLDER, which has the files that the upstream serves. The last word of output is how much was compared.
"""

import io
import os
import sys
import tempfile
import time

import huggingface_hub as hub
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, HfFileSystem

UPSTREAM = sys.argv[1]
API = HfApi()
TAG = hub.__version__.replace(".", "-")
NEW = int(hub.__version__.split(".")[0])
HERE = tempfile.mkdtemp()
DONE = 0


def same(found, wanted, what=""):
    global DONE
    assert found == wanted, f"{what}: {found} is not {wanted}"
    DONE += 1


def refused(call, kind, part=""):
    try:
        given = call()
    except Exception as error:  # noqa: BLE001
        same(kind in type(error).__name__, True, f"{type(error).__name__}: {error}")
        same(part in str(error), True, str(error))
        return
    raise AssertionError(f"{given} was given, not {kind}")


def bytes_of(place):
    with open(place, "rb") as file:
        return file.read()


def files_below(folder):
    found = []
    for top, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".cache"]
        found += [os.path.relpath(os.path.join(top, file), folder) for file in files]
    return sorted(found)


GOOD = os.path.join(UPSTREAM, "models/acme/good")
FILES = files_below(GOOD)
WEIGHTS = bytes_of(os.path.join(GOOD, "model.safetensors"))


def looks():
    info = API.model_info("acme/good", files_metadata=True, securityStatus=True)
    same(sorted(one.rfilename for one in info.siblings), FILES)
    same(next(one.size for one in info.siblings if one.rfilename == "model.safetensors"), len(WEIGHTS))
    same(info.security_repo_status, {"scansDone": True, "filesWithIssues": []})
    same(API.model_info("acme/good", expand=["sha", "downloads"]).sha, info.sha)
    same(sorted(API.list_repo_files("acme/good")), FILES)
    tree = {one.path: one for one in API.list_repo_tree("acme/good", recursive=True, expand=True)}
    same(sorted(tree), sorted([*FILES, "sub", "sub/deep"]))
    same((tree["config.json"].last_commit.oid, tree["model.safetensors"].lfs.size), (info.sha, len(WEIGHTS)))
    same([one.path for one in API.list_repo_tree("acme/good", "sub")], ["sub/a b+c.txt", "sub/deep"])
    refused(lambda: list(API.list_repo_tree("acme/good", "nothing")), "EntryNotFound")
    same([one.path for one in API.get_paths_info("acme/good", ["config.json", "sub", "nothing"], expand=True)], ["config.json", "sub"])
    refs = API.list_repo_refs("acme/good")
    same([(one.name, one.target_commit) for one in refs.branches], [("main", info.sha)])
    same([one.commit_id for one in API.list_repo_commits("acme/good")], [info.sha])
    found = [API.file_exists("acme/good", "config.json"), API.file_exists("acme/good", "x"), API.revision_exists("acme/good", "main"),
             API.revision_exists("acme/good", "v9"), API.repo_exists("acme/good"), API.repo_exists("acme/none"),
             API.repo_exists("acme/data", repo_type="dataset"), API.repo_exists("acme/good", repo_type="space")]
    same(found, [True, False, True, False, True, False, True, False])
    metadata = hub.get_hf_file_metadata(hub.hf_hub_url("acme/good", "sub/a b+c.txt"))
    same((metadata.commit_hash, metadata.size), (info.sha, 2))
    API.auth_check("acme/good")
    refused(lambda: API.auth_check("acme/none"), "RepositoryNotFoundError")
    same([one.id for one in API.list_models(search="good", author="acme")], ["acme/good"])
    same(API.dataset_info("acme/data").id, "acme/data")
    same("acme/data" in [one.id for one in API.list_datasets(author="acme")], True)
    if NEW:
        same(len(API.verify_repo_checksums("acme/good").mismatches), 0)
    same(API.get_safetensors_metadata("acme/good").weight_map, {"w": "model.safetensors"})


def loads():
    same(files_below(hub.snapshot_download("acme/good")), FILES)
    same(bytes_of(hub.hf_hub_download("acme/good", "model.safetensors", force_download=True)), WEIGHTS)
    same(bytes_of(hub.hf_hub_download("acme/good", "a b+c.txt", subfolder="sub")), b"hi")
    sha = API.model_info("acme/good").sha
    place = hub.hf_hub_download("acme/good", "config.json", revision=sha)
    same(hub.hf_hub_download("acme/good", "config.json", local_files_only=True), place)
    for _ in range(2):
        hub.hf_hub_download("acme/good", "config.json", local_dir=f"{HERE}/local")
    same(files_below(f"{HERE}/local"), ["config.json"])
    allowed = hub.snapshot_download("acme/good", allow_patterns=["*.json"], local_dir=f"{HERE}/allowed")
    same(files_below(allowed), ["config.json", "sub/deep/x.json"])
    ignored = hub.snapshot_download("acme/good", ignore_patterns="*.safetensors", local_dir=f"{HERE}/ignored")
    same(files_below(ignored), [path for path in FILES if not path.endswith(".safetensors")])
    same(files_below(hub.snapshot_download("acme/data", repo_type="dataset")), ["README.md", "data/test.csv", "data/train.csv"])
    same(bytes_of(hub.hf_hub_download("solo", "config.json")), bytes_of(os.path.join(UPSTREAM, "models/solo/config.json")))
    large = bytes_of(os.path.join(UPSTREAM, "models/acme/large/model.safetensors"))
    same(bytes_of(hub.hf_hub_download("acme/large", "model.safetensors")) == large, True)
    goes_on_after_an_interruption(large)
    refused(lambda: hub.hf_hub_download("acme/good", "nothing"), "EntryNotFound")
    refused(lambda: hub.hf_hub_download("acme/good", "config.json", revision="nothing"), "RevisionNotFoundError")
    refused(lambda: hub.snapshot_download("acme/none"), "RepositoryNotFoundError")
    for call in (lambda: hub.snapshot_download("acme/bad"), lambda: hub.hf_hub_download("acme/bad", "pytorch_model.bin"),
                 lambda: API.model_info("acme/bad")):
        refused(call, "GatedRepoError", "Ask for approval: http")


def goes_on_after_an_interruption(large):
    """What is left of a download, where that version of the client goes on with it; else it begins again."""
    metadata = hub.get_hf_file_metadata(hub.hf_hub_url("acme/large", "model.safetensors"))
    folder = os.path.join(HERE, "cache")
    blobs = os.path.join(folder, "models--acme--large", "blobs")
    os.makedirs(blobs)
    with open(os.path.join(blobs, f"{metadata.etag}.incomplete"), "wb") as file:
        file.write(large[:5_000_000])
    same(bytes_of(hub.hf_hub_download("acme/large", "model.safetensors", cache_dir=folder)) == large, True)


def reads_as_files():
    fs = HfFileSystem()
    same(sorted(fs.ls("acme/good", detail=False)), [f"acme/good/{name}" for name in ["README.md", "config.json", "model.safetensors", "sub"]])
    same(sorted(fs.glob("acme/good/**/*.json")), ["acme/good/config.json", "acme/good/sub/deep/x.json"])
    same(len(fs.find("datasets/acme/data")), 3)
    with fs.open("acme/good/model.safetensors", "rb", block_size=64) as file:
        file.seek(1000)
        same(file.read(10), WEIGHTS[1000:1010])
        file.seek(-5, 2)
        same(file.read(), WEIGHTS[-5:])
    same([fs.exists("acme/good/x"), fs.isdir("acme/good/sub"), fs.isfile("acme/good@main/config.json")], [False, True, True])
    same(fs.info("acme/good/model.safetensors")["size"], len(WEIGHTS))


def until(holds):
    for _ in range(60):
        if holds():
            return
        time.sleep(1)
    raise AssertionError("a minute was not enough")


def sends(name):
    API.create_repo(name)
    refused(lambda: API.create_repo(name), "HfHubHTTPError", "exists already")
    API.create_repo(name, exist_ok=True)
    same(API.model_info(name).siblings, [])
    same(str(API.create_repo(f"own-{TAG}")).endswith(f"/admin/own-{TAG}"), True)
    API.upload_file(path_or_fileobj=b'{"model_type": "bert"}', path_in_repo="config.json", repo_id=name, commit_message="first")
    API.upload_file(path_or_fileobj=io.BytesIO(b"0123456789" * 300), path_in_repo="b.txt", repo_id=name)
    API.upload_folder(repo_id=name, folder_path=GOOD, path_in_repo="f", ignore_patterns=".cache/*")
    large = os.path.join(UPSTREAM, "models/acme/large/model.safetensors")
    API.upload_file(path_or_fileobj=large, path_in_repo="model.safetensors", repo_id=name)
    # Whoever may write sees what was written.
    same(sorted(API.list_repo_files(name)), sorted(["b.txt", "config.json", "model.safetensors", *(f"f/{path}" for path in FILES)]))
    operations = [CommitOperationAdd("x.txt", b"x"), CommitOperationCopy("model.safetensors", "copy.safetensors"),
                  CommitOperationCopy("config.json", "copy.json"), CommitOperationDelete("b.txt"), CommitOperationDelete("f/", is_folder=True)]
    made = API.create_commit(name, operations, commit_message="title", commit_description="body")
    left = ["config.json", "copy.json", "copy.safetensors", "model.safetensors", "x.txt"]
    # On a busy machine judging takes longer than the server lets a client wait, who then gets what was judged before.
    until(lambda: API.model_info(name).sha == made.oid)
    same(files_below(hub.snapshot_download(name)), left)
    same(os.path.basename(hub.snapshot_download(name)), made.oid)
    same(bytes_of(hub.hf_hub_download(name, "copy.safetensors")) == bytes_of(large), True)
    same(API.list_repo_commits(name)[0].title, "title")
    refused(lambda: API.create_commit(name, [CommitOperationAdd("y", b"y")], commit_message="c", parent_commit="0" * 40), "HfHubHTTPError", "moved")
    API.delete_file("x.txt", name)
    API.upload_folder(repo_id=name, folder_path=f"{HERE}/allowed/sub", path_in_repo="sub", delete_patterns="*", ignore_patterns=".cache/*")
    same(sorted(API.list_repo_files(name)), [*left[:4], "sub/deep/x.json"])


def branches(name):
    API.create_branch(name, branch="dev")
    refused(lambda: API.create_branch(name, branch="dev"), "HfHubHTTPError", "exists already")
    API.create_branch(name, branch="dev", exist_ok=True)
    API.create_branch(name, branch="feature/x", revision="dev")
    API.upload_file(path_or_fileobj=b"d", path_in_repo="d.txt", repo_id=name, revision="dev")
    same("d.txt" in files_below(hub.snapshot_download(name, revision="dev")), True)
    same("d.txt" in API.list_repo_files(name), False)
    API.create_tag(name, tag="v1", tag_message="first")
    refused(lambda: API.create_tag(name, tag="v1"), "HfHubHTTPError", "exists already")
    refs = API.list_repo_refs(name)
    same(sorted(one.name for one in refs.branches), ["dev", "feature/x", "main"])
    same([one.name for one in refs.tags], ["v1"])
    same("config.json" in files_below(hub.snapshot_download(name, revision="v1")), True)
    API.delete_tag(name, tag="v1")
    refused(lambda: API.delete_tag(name, tag="v1"), "RevisionNotFoundError")
    API.delete_branch(name, branch="feature/x")
    refused(lambda: API.delete_branch(name, branch="main"), "HfHubHTTPError", "main")


def is_refused(name):
    """What others do not have here, in words."""
    add = [CommitOperationAdd("z", b"z")]
    refused(lambda: API.create_commit(name, add, commit_message="c", create_pr=True), "BadRequestError", "no pull requests")
    refused(lambda: API.create_pull_request(name, title="t"), "BadRequestError", "no pull requests")
    same(list(API.get_repo_discussions(name)), [])
    for call in (lambda: API.super_squash_history(name), lambda: API.move_repo(name, f"{name}-moved"), lambda: list(API.list_lfs_files(name)),
                 lambda: list(API.list_repo_likers(name)), lambda: API.get_user_overview("admin"), lambda: list(API.list_spaces(limit=1))):
        refused(call, "HfHubHTTPError", "does not offer")
    refused(lambda: API.create_repo("team/space", repo_type="space", space_sdk="gradio"), "BadRequestError", "no space")
    refused(lambda: API.create_commit("acme/good", add, commit_message="c"), "HfHubHTTPError", "commit there")
    refused(lambda: API.create_commit("team/nothing", add, commit_message="c"), "RepositoryNotFoundError")
    refused(lambda: API.delete_repo("team/nothing"), "RepositoryNotFoundError")
    API.delete_repo("team/nothing", missing_ok=True)
    refused(lambda: HfApi(token="hf_" + "x" * 40).whoami(), "HTTPError")
    # A weapon is taken, and not given out.
    before = sorted(API.list_repo_files(name))
    API.upload_file(path_or_fileobj=b"cos\nsystem\n(S'id'\ntR.", path_in_repo="evil.pkl", repo_id=name)
    same(sorted(API.list_repo_files(name)), before)
    refused(lambda: hub.hf_hub_download(name, "evil.pkl"), "EntryNotFound", *(["is not given out"] if NEW else []))


def datasets(name):
    API.create_repo(name, repo_type="dataset")
    API.upload_folder(repo_id=name, repo_type="dataset", folder_path=os.path.join(UPSTREAM, "datasets/acme/data"))
    same(files_below(hub.snapshot_download(name, repo_type="dataset")), ["README.md", "data/test.csv", "data/train.csv"])
    fs = HfFileSystem()
    fs.pipe(f"datasets/{name}/new.txt", b"hello")
    fs.invalidate_cache()
    same(fs.cat(f"datasets/{name}/new.txt"), b"hello")
    fs.rm(f"datasets/{name}/new.txt")
    API.delete_repo(name, repo_type="dataset")
    refused(lambda: API.dataset_info(name), "RepositoryNotFoundError")


def main():
    same(API.whoami()["name"], "admin")
    loads()
    looks()
    reads_as_files()
    name = f"team/api-{TAG}"
    sends(name)
    branches(name)
    is_refused(name)
    datasets(f"team/data-{TAG}")
    if hasattr(API, "upload_large_folder"):
        API.upload_large_folder(repo_id=f"team/many-{TAG}", folder_path=f"{HERE}/allowed", repo_type="model", print_report=False, num_workers=2)
        same("config.json" in API.list_repo_files(f"team/many-{TAG}"), True)
    print(DONE)


main()
