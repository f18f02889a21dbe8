"""Copy the Kubernetes files for one environment: its namespace, its configuration, one image."""

import argparse
import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path

CONFIG_FILE = "config.yaml"
K8S = Path(__file__).parents[1] / "k8s"
IMAGE = re.compile(r"ghcr\.io/mycompany/order-service@sha256:[0-9a-f]{64}")
IMAGE_FIELD = re.compile(r"(?<![\w./-])image: *[\"']?([^\s\"',}]*)")
NAMESPACE = re.compile(r"^(\s*(?:- )?namespace:) production$", re.MULTILINE)
CONFIG = re.compile(r"((?<![\w./-])name: *[\"']?order-service-config)(?![\w.-])")
CONFIG_FIELD = re.compile(r"(?<![\w./-])configMap(?:Key)?(?:Ref)?:")
COMMENT = re.compile(r"^\s*#.*\n", re.MULTILINE)


class RenderError(Exception):
    """The files cannot be rendered as asked."""


def render(text: str, namespace: str, image: str, config_hash: str) -> str:
    """Put namespace, image and hash into a file; as text, so that its comments stay."""
    text = CONFIG.sub(rf"\1-{config_hash}", NAMESPACE.sub(rf"\1 {namespace}", text))
    return IMAGE.sub(image, text)


# --8<-- [start:hash]
def hash_config(config: str) -> str:
    """Return a short hash of the configuration: other values give another name, comments do not."""
    return hashlib.sha256(COMMENT.sub("", config).encode()).hexdigest()[:10]


# --8<-- [end:hash]


def render_all(files: dict[str, str], namespace: str, image: str) -> dict[str, str]:
    """Render every file; refuse what would deploy something other than this very image."""
    if not IMAGE.fullmatch(image):
        raise RenderError(f"not an image of this service with a digest: {image}")
    values = [COMMENT.sub("", text) for text in files.values()]
    images = [named for text in values for named in IMAGE_FIELD.findall(text)]
    if not images:
        raise RenderError("no file names the image: nothing would be deployed")
    if others := [named for named in images if not IMAGE.fullmatch(named)]:
        raise RenderError(f"not an image of this service with a digest: {', '.join(others)}")
    if any(len(CONFIG_FIELD.findall(text)) > len(CONFIG.findall(text)) for text in values):
        raise RenderError("a pod reads another ConfigMap: a change would not replace it")
    config_hash = hash_config(files[CONFIG_FILE])
    return {name: render(text, namespace, image, config_hash) for name, text in files.items()}


COMMIT = re.compile(r'^(\s*mycompany\.example/commit:) "[0-9a-f]{40}"$', re.MULTILINE)


def stamp(files: dict[str, str], commit: str) -> dict[str, str]:
    """Write the commit into the Rollout, which reports under it, or the plain Deployment."""
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
    files[CONFIG_FILE] = (K8S / "config" / f"{options.env}.yaml").read_text()
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
