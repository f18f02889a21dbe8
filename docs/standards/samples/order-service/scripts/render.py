"""Copy the Kubernetes files for one environment: its namespace, its configuration, one image."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

K8S = Path(__file__).parents[1] / "k8s"
IMAGE = re.compile(r"ghcr\.io/mycompany/order-service@sha256:[0-9a-f]{64}")
NAMESPACE = re.compile(r"^(\s*(?:- )?namespace:) production$", re.MULTILINE)


class RenderError(Exception):
    """The files cannot be rendered as asked."""


def render(text: str, namespace: str, image: str) -> str:
    """Put the namespace and the image into a file; as text, so that its comments stay."""
    return IMAGE.sub(image, NAMESPACE.sub(rf"\1 {namespace}", text))


def render_all(files: dict[str, str], namespace: str, image: str) -> dict[str, str]:
    """Render every file; refuse what would deploy something other than this very image."""
    if not IMAGE.fullmatch(image):
        raise RenderError(f"not an image of this service with a digest: {image}")
    if not any(IMAGE.search(text) for text in files.values()):
        raise RenderError("no file names the image: nothing would be deployed")
    return {name: render(text, namespace, image) for name, text in files.items()}


COMMIT = re.compile(r'^(\s*mycompany\.example/commit:) "[0-9a-f]{40}"$', re.MULTILINE)


def stamp(files: dict[str, str], commit: str) -> dict[str, str]:
    """Write the commit into the Rollout, which reports under it how the deployment went."""
    if not re.fullmatch("[0-9a-f]{40}", commit):
        raise RenderError(f"not a commit: {commit}")
    if not any(COMMIT.search(text) for text in files.values()):
        raise RenderError("no file names the commit: nobody would hear of an aborted canary")
    return {name: COMMIT.sub(rf'\1 "{commit}"', text) for name, text in files.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Render the files into a folder; 1 with the reason where that is impossible."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True, choices=["staging", "production"])
    parser.add_argument("--image", required=True, help="name@sha256:digest")
    parser.add_argument("--commit", required=True, help="of this repository, in full")
    parser.add_argument("--to", required=True, type=Path, help="folder in the manifests repository")
    options = parser.parse_args(arguments)

    files = {path.name: path.read_text() for path in sorted(K8S.glob("*.yaml"))}
    files["config.yaml"] = (K8S / "config" / f"{options.env}.yaml").read_text()
    try:
        rendered = stamp(render_all(files, options.env, options.image), options.commit)
    except RenderError as error:
        print(error, file=sys.stderr)
        return 1
    options.to.mkdir(parents=True, exist_ok=True)
    # A file that was removed here must not live on there.
    for stale in set(options.to.glob("*.yaml")) - {options.to / name for name in rendered}:
        stale.unlink()
    for name, text in rendered.items():
        (options.to / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
