"""The rendered Kubernetes files, on disk."""

import re
import shutil
from pathlib import Path

import pytest

from scripts import render
from scripts.render import K8S, main

IMAGE = f"ghcr.io/mycompany/order-service@sha256:{'1' * 64}"
COMMIT = "2" * 40


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_render_into_folder_leaves_one_namespace_and_one_image(
    tmp_path: Path, environment: str
) -> None:
    (tmp_path / "removed.yaml").write_text("kind: Service\n")

    status = main(
        ["--env", environment, "--image", IMAGE, "--commit", COMMIT, "--to", str(tmp_path)]
    )

    text = "".join(path.read_text() for path in tmp_path.iterdir())
    expected = {path.name for path in K8S.glob("*.yaml")} | {"config.yaml"}
    assert status == 0
    assert {path.name for path in tmp_path.iterdir()} == expected
    assert set(re.findall(r"namespace: (staging|production)$", text, re.M)) == {environment}
    assert set(re.findall(r"^\s*image: (\S+)$", text, re.MULTILINE)) == {IMAGE}
    assert re.findall(r"mycompany\.example/commit: (\S+)$", text, re.M) == [f'"{COMMIT}"']


def test_render_of_tag_exits_with_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tag = "ghcr.io/mycompany/order-service:latest"

    status = main(["--env", "staging", "--image", tag, "--commit", COMMIT, "--to", str(tmp_path)])

    assert status == 1
    assert "digest" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# --8<-- [start:flip]
def test_flipped_flag_replaces_the_pods_and_survives_the_next_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    k8s, manifests = shutil.copytree(K8S, tmp_path / "k8s"), tmp_path / "manifests"
    monkeypatch.setattr(render, "K8S", k8s)
    before = deploy(manifests, IMAGE)

    values = k8s / "config/production.yaml"
    flag = 'FF_NEW_CHECKOUT_FLOW: "{}"'
    values.write_text(values.read_text().replace(flag.format("false"), flag.format("true")))
    flipped = deploy(manifests, IMAGE)
    following = deploy(manifests, IMAGE.replace("1", "2"))

    # The pod template names another ConfigMap, so Kubernetes replaces the pods.
    assert flipped != before
    assert following == flipped
    assert flag.format("true") in (manifests / "config.yaml").read_text()


# --8<-- [end:flip]


def deploy(manifests: Path, image: str) -> str:
    """Render for production, and return the name of the ConfigMap that all pods read."""
    main(["--env", "production", "--image", image, "--commit", "0" * 40, "--to", str(manifests)])
    text = "".join(path.read_text() for path in manifests.glob("*.yaml"))
    [name] = set(re.findall(r"name: (order-service-config\S*)", text))
    return str(name)
