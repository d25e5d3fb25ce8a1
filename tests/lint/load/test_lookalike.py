"""Templates by content, and what must not be taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockstrata.load.lookalike import lookalike

TEMPLATES = [
    "{{ if .Debug }}\nFROM a\n{{ end }}\n",
    "FROM a\n{{- range .Packages }}\nRUN install {{ . }}\n{{- end }}\n",
    "{{\n\tdef x: 1\n-}}\nFROM a\n",
    "{{\n    set v to 1 ^\n    set w to 2\n}}FROM a\n",
    "{% set v = 1 %}\nFROM a\n",
    "{# comment #}\nFROM a\n",
    "<% pkgs.each do |p| %>\nFROM a\n",
    "%{ if debug }\nFROM a\n%{ endif }\n",
    "FROM %%PARENT%%:%%VERSION%%\n",
    "%%INSTALL%%\nFROM a\n",
    "FROM @BASE_IMAGE@\nRUN x\n",
    "FROM a\n@EXTRA@\n",
    "@[if x]@\nFROM a\n@[end if]@\n",
    "FROM @base\nFROM @(base_image)\n",
    "FROM {{ image }}\n",
    "FROM --platform={{ .Platform }} a\n",
    "FROM a AS {{ stage }}\n",
    "ARG V\nFROM registry/{{ name }}:$V\n",
    "FROM <%= image %>\n",
    "FROM <your-image>\n",
    "FROM {base_image}\n",
    "FROM %(base)s\n",
    "FROM #IMAGE_NAME# # replaced by sed\n",
    "FROM __BASE_IMAGE__\n",
    "FROM\t{{ image }}\n",
    "  from {{ image }}\n",
    "# escape=`\nFROM a\nRUN x `\n y\n{{ end }}\n",
    "FROM a\nRUN x \\\n  {{ if .A }}\n  y \\\n  {{ end }}\n  z\n",
]

DOCKERFILES = [
    "FROM a\nRUN docker inspect --format '{{.Id}}' b\n",
    "FROM a\nRUN go list -f '{{.Dir}}' ./...\n",
    "FROM a\nRUN x \\\n  {{ y }} \\\n  z\n",
    "FROM a\nLABEL v={{ version }}\nENV X={{ x }} Y=%%Y%% Z=@Z@\n",
    "FROM a\nCOPY <<EOF /t\n{{ range .X }}\n%%A%%\n{% if a %}\n@A@\nEOF\nRUN y\n",
    'FROM a\nRUN <<-"END"\n\t{{ x }}\n\tEND\nUSER b\n',
    "FROM a\n# {{ comment }}\n#{% x %}\nRUN x\n",
    "FROM a\nRUN x \\\n# note\n{{ y }}\n",
    "# escape=`\nFROM a\nRUN x `\n{{ y }}\n",
    "ARG B\nFROM ${B:-debian}\n",
    "FROM a@sha256:0123\nFROM ${REGISTRY}/${NAME}:${TAG}\n",
    "FROM a as b # {{ note }}"[:11] + "\n",
    "FROM a\nRUN if [ <<< x ]; then echo; fi\n",
    "FORM a\nRUN x\n",
    "",
    "# only comments\n",
]


@pytest.mark.parametrize("text", TEMPLATES)
def test_template_syntax_where_an_instruction_or_image_belongs(text: str) -> None:
    skipped = lookalike("x/Dockerfile", text)
    assert skipped is not None
    assert (skipped.path, skipped.reason) == ("x/Dockerfile", "template")
    assert lookalike("x/Dockerfile", text.replace("\n", "\r\n")) is not None
    assert lookalike("x/Dockerfile", text, named=True) is not None


@pytest.mark.parametrize("text", DOCKERFILES)
def test_template_syntax_inside_an_instruction_is_the_images_business(text: str) -> None:
    assert lookalike("x/Dockerfile", text) is None
    assert lookalike("x/Dockerfile", text.replace("\n", "\r\n")) is None
    assert lookalike("x/Dockerfile", "\ufeff" + text) is None


def test_message_names_the_line() -> None:
    skipped = lookalike("Dockerfile", "FROM a\nRUN x\n{{ end }}\n")
    assert skipped is not None
    assert "line 3" in skipped.message
    assert "{{" in skipped.message


def test_pieces_in_a_folder_of_templates() -> None:
    piece = "ENV A=1 \\\n    B=2\n"
    assert lookalike("eng/dockerfile-templates/x/Dockerfile.envs", piece) is not None
    assert lookalike("eng/dockerfile-templates/x/Dockerfile", "FROM a\n" + piece) is None
    assert lookalike("templates/x/Dockerfile.envs", piece) is None


def test_names_count_less_for_what_the_user_names() -> None:
    assert lookalike("Dockerfile.md", "FROM a\n") is not None
    assert lookalike("Dockerfile.md", "# note\n\nFROM a\n", named=True) is None
    assert lookalike("Dockerfile.md", "# Title\n\nText\n", named=True) is not None
    assert lookalike("Dockerfile.web", "text\n", named=True) is None
    assert lookalike("-", "text\n") is None


def test_other_contents() -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    skipped = lookalike("Dockerfile", pointer)
    assert skipped is not None
    assert skipped.reason == "not-a-dockerfile"
    assert lookalike("Dockerfile", "FROM a\n" + "#" * 9000 + "\0") is None


@given(st.text(alphabet="FROM RUN{}%<>@#\\\n`E~ab=:", max_size=60), st.booleans())
def test_never_fails(text: str, named: bool) -> None:
    skipped = lookalike("Dockerfile", text, named=named)
    assert skipped is None or skipped.reason in ("template", "binary", "not-a-dockerfile")


@given(st.text(alphabet="ab{}%<@ \t'\"$.-", max_size=30))
def test_a_run_is_never_a_template(command: str) -> None:
    assert lookalike("Dockerfile", f"FROM a\nRUN x {command}\n") is None
    assert lookalike("Dockerfile", f"FROM a\nRUN x \\\n {command} \\\n y\n") is None
