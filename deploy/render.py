"""Renders the chart with Helm's own SDK and writes `manifests/alnage.yaml`; `--check` only compares.

Needs `helm-python-sdk` from PyPI.
"""

import pathlib
import sys

from helm_python import Chart

HERE = pathlib.Path(__file__).resolve().parent
HEAD = "# The chart with its defaults, for `kubectl apply -n alnage -f`; made by deploy/render.py.\n"


def rendered(values=None):
    """The chart with `values`, as one text."""
    with Chart.load(str(HERE / "helm/alnage")) as chart:
        parts = chart.render(values or {}, name="alnage", namespace="alnage")
    parts = {name: text for name, text in parts.items() if text.strip() and not name.endswith(".tpl")}
    return HEAD + "".join(f"---\n{text.strip()}\n" for _, text in sorted(parts.items()))


if __name__ == "__main__":
    text = rendered()
    path = HERE / "manifests/alnage.yaml"
    if "--check" in sys.argv:
        sys.exit(0 if path.read_text() == text else f"{path} is stale: run deploy/render.py")
    path.write_text(text)
