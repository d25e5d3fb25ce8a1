"""A realistic repository through tree, plan, apply, a second apply, verify and undo."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from monorepo import FILES, PARENTS  # type: ignore[import-not-found]


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, FILES)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "shop"]):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "dockstrata", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def tree() -> dict[str, dict[str, Any]]:
    return {image["id"]: image for image in json.loads(run("tree", "--format", "json"))["images"]}


def chains(image: dict[str, Any]) -> list[str]:
    return [step["chain"] for step in image["steps"]]


def test_every_image_on_what_it_is_built_on(shop: Path) -> None:
    found = {name: (image["parent"], image["depth"]) for name, image in tree().items()}
    assert found == PARENTS


def test_what_a_build_is_given_tells_images_apart(shop: Path) -> None:
    found = tree()
    serve, work = (found[f"services/api/Dockerfile#build{it}"] for it in ("", "@worker"))
    assert chains(serve)[:-1] == chains(work)[:-1]  # MODE is seen by the last step alone
    assert chains(serve)[-1] != chains(work)[-1]
    assert chains(found["images/node/Dockerfile#0"]) != chains(
        found["images/node/Dockerfile#0@node-22"]
    )


def test_triggers_run_with_the_child_s_files(shop: Path) -> None:
    web = tree()["services/web/Dockerfile#0"]
    assert [step["instruction"] for step in web["steps"]] == ["COPY", "RUN", "RUN"]
    before = chains(web)
    write(shop, {"services/web/package.json": '{"name": "web"}'})
    assert chains(tree()["services/web/Dockerfile#0"])[0] != before[0]


CHANGES = [
    # What is changed, and the first step (by image) that is another one then.
    ("packages/a/deep/b/package.json", "services/api/Dockerfile#build", 1),
    ("services/api/main.js", "services/api/Dockerfile#build", 3),
    ("services/cart/vendor.tar.gz", "services/cart/Dockerfile#0", 2),
    ("services/cart/cart/x", "services/cart/Dockerfile#0", 4),
    ("shared/lib/a.so", "services/search/Dockerfile#0", 0),
    ("shared/build/run", "services/search/Dockerfile#0", 1),
    ("docs/index.md", "docs/docs.Dockerfile#0", 1),
    # Left out by --exclude, by the Dockerfile's own ignore file, by the context's.
    ("services/api/README.md", "services/api/Dockerfile#build", None),
    ("docs/drafts/next.md", "docs/site.Dockerfile#0", None),
    # "drafts" is at the top of the context, not below docs: what it leaves out is not this.
    ("docs/drafts/next.md", "docs/docs.Dockerfile#0", 1),
]


@pytest.mark.parametrize(("file", "image", "first"), CHANGES)
def test_what_a_copy_takes(shop: Path, file: str, image: str, first: int | None) -> None:
    before = chains(tree()[image])
    write(shop, {file: "changed\n"})
    after = chains(tree()[image])
    changed = [one != other for one, other in zip(before, after, strict=True)]
    assert changed == [first is not None and at >= first for at in range(len(before))]


def test_plan_apply_verify_and_undo(shop: Path) -> None:
    files = {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()}
    plan = json.loads(run("plan", "--format", "json"))
    shared = {tuple(sorted(base["images"])): len(base["steps"]) for base in plan["bases"]}
    assert shared == {
        ("docs/docs.Dockerfile#0", "docs/site.Dockerfile#0"): 1,
        ("services/cart/Dockerfile#0", "services/mail/Dockerfile#0"): 4,
    }
    run("apply")
    again = json.loads(run("plan", "--format", "json"))
    assert again["bases"] == []
    run("apply", "--check")
    verdict = run("verify", "--against", "HEAD")
    assert verdict == "18 images equal to HEAD, 0 different, 0 removed, 2 new.\n"
    run("apply", "--undo")
    left = {path: path.read_bytes() for path in shop.rglob("*") if path.is_file()}
    inside = {path: text for path, text in left.items() if ".git" not in path.parts}
    assert inside == {path: text for path, text in files.items() if ".git" not in path.parts}


def test_verify_names_what_a_change_does(shop: Path) -> None:
    text = FILES["images/os/Dockerfile"].replace("ca-certificates", "ca-certificates curl")
    write(shop, {"images/os/Dockerfile": text})
    on_os = {name for name in PARENTS if "images/os/Dockerfile#0" in _path_up(name)}
    out = run("verify", "--against", "HEAD", code=1)
    different = {line.partition(" ")[0] for line in out.splitlines() if " different: " in line}
    assert different == on_os


def _path_up(name: str | None) -> list[str]:
    return [] if name is None else [name, *_path_up(PARENTS[name][0])]
