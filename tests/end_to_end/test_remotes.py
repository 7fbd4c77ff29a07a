"""Data and models in S3: the README's commands against a real S3 server on this machine."""

import boto3
import pytest
from clones import Clone
from moto.server import ThreadedMotoServer


@pytest.fixture
def s3(monkeypatch):
    """The address of a server with an empty bucket `digits`, and credentials for it."""
    for key, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(key, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket="digits")
    yield address
    server.stop()


def test_the_model_goes_to_s3_and_comes_back(s3, clone, tmp_path):
    clone.dvc("remote", "add", "--default", "storage", "s3://digits/cache")
    clone.dvc("remote", "modify", "storage", "endpointurl", s3)
    clone.git("commit", "--quiet", "--all", "--message", "remote")
    clone.dvc("push")
    stored = boto3.client("s3", endpoint_url=s3).list_objects_v2(Bucket="digits")["Contents"]
    assert all(entry["Key"].startswith("cache/files/md5/") for entry in stored)
    clone.git("clone", "--quiet", clone.folder, tmp_path / "second")
    second = Clone(tmp_path / "second", tmp_path / "home")
    second.dvc("pull", "data/model/model.npz")
    assert second.read("data/model/model.npz") == clone.read("data/model/model.npz")
    second.dvc("pull")
    assert second.repro() == []
