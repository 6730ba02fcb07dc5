"""Loads models with MLflow's client. Usage: mlflow.py URL TOKEN FOLDER ADDRESS... Says for each which files came, or why
none did, in one line."""

import os
import sys
import tempfile

url, token, folder, *addresses = sys.argv[1:]
sys.path.pop(0)  # this file's name is the library's
os.environ.update(MLFLOW_TRACKING_URI=url, MLFLOW_REGISTRY_URI=url, MLFLOW_TRACKING_TOKEN=token)
os.environ.update(MLFLOW_HTTP_REQUEST_MAX_RETRIES="1", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="1")

import mlflow  # noqa: E402


def load(address):
    try:
        place = mlflow.artifacts.download_artifacts(address, dst_path=tempfile.mkdtemp(dir=folder))
    except mlflow.exceptions.MlflowException as error:
        return str(error).replace("\n", " ")
    names = [name for _, _, files in os.walk(place) for name in files]
    return " ".join(sorted(name for name in names if name != "registered_model_meta"))


print("|".join(load(address) for address in addresses))
