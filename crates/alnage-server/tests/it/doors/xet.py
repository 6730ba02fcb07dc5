"""Uploads a folder with huggingface_hub, by Xet. Usage: xet.py URL TOKEN upload REPO FOLDER. Says the commit."""

import os
import sys

url, token, _, repo, folder = sys.argv[1:]
os.environ.update(HF_ENDPOINT=url, HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1")

from huggingface_hub import HfApi  # noqa: E402

api = HfApi(token=token)
api.create_repo(repo, exist_ok=True)
print(api.upload_folder(repo_id=repo, folder_path=folder).oid)
