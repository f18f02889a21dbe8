"""The rendered Kubernetes files, on disk."""

import re
from pathlib import Path

import pytest

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
