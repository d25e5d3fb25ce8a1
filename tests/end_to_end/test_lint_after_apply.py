"""Refactoring makes no new findings: neither on the children nor on the bases."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DOCKSTRATA = (sys.executable, "-m", "dockstrata")


def findings(folder: Path) -> Counter[tuple[str, str]]:
    command = [*DOCKSTRATA, "lint", "--select", "ALL", "--format", "json", "--no-cache"]
    output = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=False).stdout
    return Counter((f["code"], f["path"]) for f in json.loads(output)["findings"])


MANY = {
    f"{name}/Dockerfile": "FROM debian\nMAINTAINER a\n"
    'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nARG tool=1\nENV work=/srv\nUSER root\n'
    "WORKDIR /srv\nRUN curl -fsS https://example.com/$tool | tar x -C $work\n"
    f"RUN apt-get update && apt-get install x | cat\nWORKDIR app\nCOPY {name} lib/\n"
    f"RUN echo {name} | cat && echo $tool $work\nUSER root\n"
    for name in ("one", "two", "three")
}

BUILDERS = {
    f"{name}/Dockerfile": "FROM debian:12 AS tools\nRUN apt-get update && apt-get install -y gcc\n"
    f"RUN make {name}\nFROM scratch\nCOPY --from=tools /out /out\n"
    for name in ("one", "two")
}
SETS = {"many": MANY, "builders": BUILDERS}


@pytest.mark.parametrize("name", ["java", "services", *SETS])
def test_nothing_new(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "set"
    if name in SETS:
        for path, text in SETS[name].items():
            (folder / path).parent.mkdir(parents=True)
            (folder / path).write_text(text)
            (folder / path).with_name(path.split("/")[0]).write_text("x")
    else:
        shutil.copytree(EXAMPLES / name, folder)
    before = findings(folder)
    subprocess.run([*DOCKSTRATA, "apply"], cwd=folder, check=True, capture_output=True)
    assert list(folder.glob("bases/*/Dockerfile"))
    after = findings(folder)
    children = {key: n for key, n in after.items() if not key[1].startswith("bases/")}
    assert not Counter(children) - before
    by_code: Counter[str] = Counter()
    for (code, _), count in before.items():
        by_code[code] += count
    for (code, _), count in after.items():
        by_code[code] -= count
    assert not -by_code
