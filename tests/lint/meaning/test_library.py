"""A set with other texts keeps the evaluations that would come to the same, and no others."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dockstrata.load.wiring import Build
from dockstrata.meaning.library import Library, default_build, unread
from dockstrata.source import Source
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.parse import parse

NAMES = "abcde"
ROOTS = st.sampled_from(["debian:12", *NAMES, *(f"localhost/{name}:1" for name in NAMES)])
LINES = st.sampled_from(
    ["RUN x", "ENV A=1", 'SHELL ["/bin/bash", "-c"]', "ONBUILD RUN y", "COPY --from=b / /", "ARG V"]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A Dockerfile; some are bases, whose first line names them."""
    mark = draw(st.sampled_from([None, None, *NAMES]))
    head = f"# dockstrata base localhost/{mark}:1\n" if mark else ""
    stages = draw(st.lists(st.tuples(ROOTS, st.lists(LINES, max_size=3)), min_size=1, max_size=2))
    return head + "".join(f"FROM {root}\n" + "".join(f"{it}\n" for it in ls) for root, ls in stages)


def document(name: str, text: str) -> Document:
    return parse(Source(f"{name}/Dockerfile", text))


def told(library: Library) -> list[tuple[str, object, list[tuple[str, str, str]]]]:
    return [
        (
            evaluation.document.path,
            evaluation.build,
            [(it.meaning, it.config_digest(), it.problem or "") for it in evaluation.stages],
        )
        for evaluation in library.all()
    ]


@given(st.lists(texts(), min_size=5, max_size=5), st.data())
def test_with_other_texts_as_if_made_anew(files: list[str], data: st.DataObject) -> None:
    wired: dict[str, list[Build]] = {}
    for name in NAMES:
        build = default_build(f"{name}/Dockerfile")
        wired[build.dockerfile] = [replace(build, tags=(name,))]
    documents = {it.path: it for it in (document(*pair) for pair in zip(NAMES, files, strict=True))}
    library = Library(list(documents.values()), wired, unread)
    library.all()
    for _ in range(2):
        name = data.draw(st.sampled_from(NAMES))
        if data.draw(st.booleans()):
            changed = document(name, data.draw(texts()))
            documents = {**documents, changed.path: changed}
        else:
            documents = {path: it for path, it in documents.items() if path != f"{name}/Dockerfile"}
        library = library.with_documents(documents)
        assert told(library) == told(Library(list(documents.values()), wired, unread))


def test_only_what_may_have_changed_is_evaluated_again() -> None:
    texts = {"a": "FROM debian:12\nRUN a\n", "b": "FROM a\nRUN b\n", "c": "FROM x\nRUN c\n"}
    documents = {f"{name}/Dockerfile": document(name, text) for name, text in texts.items()}
    build = replace(default_build("a/Dockerfile"), tags=("a",))
    library = Library(list(documents.values()), {"a/Dockerfile": [build]}, unread)
    before = {it.document.path: it for it in library.all()}
    changed = document("a", "FROM debian:12\nRUN other\n")
    after = library.with_documents({**documents, changed.path: changed})
    now = {it.document.path: it for it in after.all()}
    assert now["c/Dockerfile"] is before["c/Dockerfile"]
    assert now["b/Dockerfile"] is not before["b/Dockerfile"]
    assert now["b/Dockerfile"].stages[-1].meaning != before["b/Dockerfile"].stages[-1].meaning
