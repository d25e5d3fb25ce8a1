"""Rules of BuildKit's frontend, one pair of Dockerfiles each: the same build, or another one.

Source: BuildKit's Dockerfile reference and its compiler (how it dispatches each instruction).
"""

from __future__ import annotations

import pytest

from dockstrata.meaning.evaluate import Stage, evaluate
from dockstrata.source import Source
from dockstrata.syntax.parse import parse

D = "FROM debian:12\n"
TICK = "# escape=`\n"


def last(text: str) -> Stage:
    document = parse(Source("Dockerfile", text))
    assert document.faults == (), document.faults
    return evaluate(document).stages[-1]


SAME = [
    ("blanks-behind-workdir", D + "WORKDIR /app \t\nRUN a\n", D + "WORKDIR /app\nRUN a\n"),
    ("blanks-behind-user", D + "USER app  \nRUN a\n", D + "USER app\nRUN a\n"),
    ("blanks-behind-signal", D + "STOPSIGNAL 9 \n", D + "STOPSIGNAL 9\n"),
    ("blanks-behind-maintainer", D + "MAINTAINER me  \n", D + "MAINTAINER me\n"),
    ("run-network-default", D + "RUN --network=default a\n", D + "RUN a\n"),
    ("run-security-sandbox", D + "RUN --security=sandbox a\n", D + "RUN a\n"),
    ("run-mount-order-of-options", D + "RUN --mount=type=cache,target=/c,id=x a\n",
     D + "RUN --mount=id=x,target=/c,type=cache a\n"),
    ("run-mount-dst", D + "RUN --mount=type=cache,dst=/c a\n",
     D + "RUN --mount=type=cache,target=/c a\n"),
    ("run-mount-bind-by-default", D + "RUN --mount=target=/c,from=busybox a\n",
     D + "RUN --mount=type=bind,target=/c,from=busybox a\n"),
    ("run-mount-image-in-full", D + "RUN --mount=target=/c,from=busybox a\n",
     D + "RUN --mount=target=/c,from=docker.io/library/busybox:latest a\n"),
    ("run-heredoc-and-script", D + "RUN <<E\na\nb\nE\n", D + 'RUN ["/bin/sh", "-c", "a\\nb\\n"]\n'),
    ("run-heredoc-delimiter", D + "RUN <<E\na\nE\n", D + "RUN <<F\na\nF\n"),
    ("run-heredoc-quoted", D + "RUN <<E\na $x\nE\n", D + "RUN <<'E'\na $x\nE\n"),
    ("run-heredoc-tabs", D + "RUN <<-E\n\t\ta\n\tE\n", D + "RUN <<E\na\nE\n"),
    ("run-backtick-continuation", TICK + D + "RUN a `\n b\n", D + "RUN a \\\n b\n"),
    ("copy-chmod-zero", D + "COPY --chmod=0755 a b\n", D + "COPY --chmod=755 a b\n"),
    ("copy-link-false", D + "COPY --link=false a b\n", D + "COPY a b\n"),
    ("copy-link-true", D + "COPY --link=true a b\n", D + "COPY --link a b\n"),
    ("copy-parents-upper", D + "COPY --parents=TRUE a b\n", D + "COPY --parents a b\n"),
    ("copy-parents-false", D + "COPY --parents=false a b\n", D + "COPY a b\n"),
    ("copy-json", D + 'COPY ["a", "b"]\n', D + "COPY a b\n"),
    ("copy-relative-target", D + "WORKDIR /w\nCOPY a b\n", D + "WORKDIR /w\nCOPY a /w/b\n"),
    ("copy-here", D + "WORKDIR /w\nCOPY a .\n", D + "WORKDIR /w\nCOPY a ./\n"),
    ("copy-here-absolute", D + "WORKDIR /w\nCOPY a .\n", D + "WORKDIR /w\nCOPY a /w/\n"),
    ("copy-from-name-and-number", "FROM a AS b\nRUN x\n" + D + "COPY --from=b /a /b\n",
     "FROM a AS b\nRUN x\n" + D + "COPY --from=0 /a /b\n"),
    ("copy-from-name-in-capitals", "FROM a AS b\nRUN x\n" + D + "COPY --from=B /a /b\n",
     "FROM a AS b\nRUN x\n" + D + "COPY --from=b /a /b\n"),
    ("copy-from-image-in-full", D + "COPY --from=busybox /a /b\n",
     D + "COPY --from=docker.io/library/busybox:latest /a /b\n"),
    ("copy-from-slash", D + "COPY --from=busybox a /b\n", D + "COPY --from=busybox /a/ /b\n"),
    ("copy-heredoc-expands", D + "ENV x=1\nCOPY <<E /a\n$x\nE\n",
     D + "ENV x=1\nCOPY <<E /a\n1\nE\n"),
    ("copy-heredoc-quotes-are-text", D + "ENV x=1\nCOPY <<E /a\n'$x'\nE\n",
     D + 'ENV x=1\nCOPY <<"E" /a\n\'1\'\nE\n'),
    ("copy-heredoc-quoted", D + 'COPY <<"E" /a\n$x\nE\n', D + "COPY <<E /a\n\\$x\nE\n"),
    ("copy-heredoc-tabs", D + "COPY <<-E /a\n\tx\nE\n", D + "COPY <<E /a\nx\nE\n"),
    ("copy-ignores-env", D + "ENV x=1\nCOPY a b\n", D + "ENV x=2\nCOPY a b\n"),
    ("copy-ignores-user", D + "USER x\nCOPY a b\n", D + "COPY a b\n"),
    ("copy-ignores-shell", D + 'SHELL ["x"]\nCOPY a b\n', D + "COPY a b\n"),
    ("workdir-relative", D + "WORKDIR /a\nWORKDIR b\n", D + "WORKDIR /a\nWORKDIR /a/b\n"),
    ("workdir-dots", D + "WORKDIR /a\nWORKDIR b/../c\n", D + "WORKDIR /a\nWORKDIR c\n"),
    ("workdir-root-is-no-step", D + "WORKDIR /\nRUN a\n", D + "WORKDIR /\nWORKDIR /\nRUN a\n"),
    ("workdir-variable", D + "ENV d=/a\nWORKDIR $d\n", D + "ENV d=/a\nWORKDIR /a\n"),
    ("arg-from-before-from", "ARG v=1\n" + D + "ARG v\nRUN a\n", D + "ARG v=1\nRUN a\n"),
    ("arg-before-from-not-declared", "ARG v=1\n" + D + "RUN a\n", D + "RUN a\n"),
    ("arg-before-from-builds-on-another", "ARG a=1\nARG b=$a\n" + D + "ARG b\nRUN x\n",
     "ARG a=1\nARG b=${a}\n" + D + "ARG b\nRUN x\n"),
    ("arg-default-against-before-from", "ARG v=1\n" + D + "ARG v=2\nRUN a\n",
     D + "ARG v=2\nRUN a\n"),
    ("env-over-arg", D + "ARG v=1\nENV v=2\nRUN a\n", D + "ENV v=2\nRUN a\n"),
    ("env-over-arg-in-children", "FROM debian:12 AS a\nENV v=1\nARG v=2\nFROM a\nRUN x\n",
     "FROM debian:12 AS a\nENV v=1\nFROM a\nRUN x\n"),
    ("env-from-before-the-line", D + "ENV a=0\nENV a=1 b=$a\nRUN x\n",
     D + "ENV a=0\nENV a=1 b=0\nRUN x\n"),
    ("env-old-form", D + "ENV a b c\nRUN x\n", D + 'ENV a="b c"\nRUN x\n'),
    ("stage-on-stage", "FROM debian:12 AS a\nRUN x\nFROM a\nRUN y\n", D + "RUN x\nRUN y\n"),
    ("stage-inherits-shell", 'FROM debian:12 AS a\nSHELL ["x"]\nFROM a\nRUN y\n',
     D + 'SHELL ["x"]\nRUN y\n'),
    ("stage-inherits-user", "FROM debian:12 AS a\nUSER u\nFROM a\nRUN y\n", D + "USER u\nRUN y\n"),
    ("stage-inherits-workdir", "FROM debian:12 AS a\nWORKDIR /w\nFROM a\nRUN y\n",
     D + "WORKDIR /w\nRUN y\n"),
    ("onbuild-of-a-stage-fires", "FROM debian:12 AS a\nONBUILD RUN x\nFROM a\nRUN y\n",
     D + "RUN x\nRUN y\n"),
    ("onbuild-fires-once", "FROM debian:12 AS a\nONBUILD RUN x\nFROM a AS b\nFROM b\nRUN y\n",
     D + "RUN x\nRUN y\n"),
    ("platform-of-the-target", "FROM --platform=$TARGETPLATFORM debian:12\nRUN a\n", D + "RUN a\n"),
    ("from-variable-in-braces", "ARG v=1\nFROM a:$v\n", "ARG v=1\nFROM a:${v}\n"),
]  # fmt: skip

OTHER = [
    ("run-network", D + "RUN --network=none a\n", D + "RUN a\n"),
    ("run-network-host", D + "RUN --network=none a\n", D + "RUN --network=host a\n"),
    ("run-security", D + "RUN --security=insecure a\n", D + "RUN a\n"),
    ("run-mount", D + "RUN --mount=type=cache,target=/c a\n", D + "RUN a\n"),
    ("run-mount-target", D + "RUN --mount=type=cache,target=/c a\n",
     D + "RUN --mount=type=cache,target=/d a\n"),
    ("run-mount-order", D + "RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/d a\n",
     D + "RUN --mount=type=tmpfs,target=/c --mount=type=cache,target=/d a\n"),
    ("run-mount-kind", D + "RUN --mount=type=secret,id=x a\n", D + "RUN --mount=type=ssh,id=x a\n"),
    ("run-mount-required", D + "RUN --mount=type=secret,id=x,required a\n",
     D + "RUN --mount=type=secret,id=x a\n"),
    ("run-mount-from-other-stage", "FROM a AS s\nRUN x\nFROM a AS t\nRUN y\n" + D +
     "RUN --mount=from=s,target=/m a\n", "FROM a AS s\nRUN x\nFROM a AS t\nRUN y\n" + D +
     "RUN --mount=from=t,target=/m a\n"),
    ("run-mount-variable", D + "ARG c=1\nRUN --mount=type=cache,target=/$c a\n",
     D + "ARG c=1\nRUN --mount=type=cache,target=/1 a\n"),
    ("run-heredoc-body", D + "RUN <<E\na\nE\n", D + "RUN <<E\nb\nE\n"),
    ("run-heredoc-two", D + "RUN cat <<A <<B\nx\nA\ny\nB\n", D + "RUN cat <<A <<B\ny\nA\nx\nB\n"),
    ("run-heredoc-named-for-the-shell", D + "RUN cat <<A\nx\nA\n", D + "RUN cat <<B\nx\nB\n"),
    ("run-shebang-and-shell", D + "RUN <<E\n#!/bin/sh\nx\nE\n",
     D + 'RUN ["/bin/sh", "-c", "#!/bin/sh\\nx\\n"]\n'),
    ("run-exec-and-shell", D + 'RUN ["a"]\n', D + "RUN a\n"),
    ("copy-chown", D + "COPY --chown=a x y\n", D + "COPY x y\n"),
    ("copy-chown-number", D + "COPY --chown=0 x y\n", D + "COPY --chown=root x y\n"),
    ("copy-chmod", D + "COPY --chmod=644 x y\n", D + "COPY --chmod=755 x y\n"),
    ("copy-chmod-symbolic", D + "COPY --chmod=u=rwX x y\n", D + "COPY --chmod=755 x y\n"),
    ("copy-link", D + "COPY --link x y\n", D + "COPY x y\n"),
    ("copy-parents", D + "COPY --parents x y\n", D + "COPY x y\n"),
    ("copy-exclude", D + "COPY --exclude=*.md x y\n", D + "COPY x y\n"),
    ("copy-exclude-variable", D + "ENV V=a\nCOPY --exclude=$V x y\n",
     D + "ENV V=a\nCOPY --exclude=a x y\n"),
    ("copy-exclude-other", D + "COPY --exclude=a x y\n", D + "COPY --exclude=b x y\n"),
    ("copy-slash", D + "COPY x /y/\n", D + "COPY x /y\n"),
    ("copy-source-order", D + "COPY x y /z/\n", D + "COPY y x /z/\n"),
    ("copy-from-other-stage", "FROM a AS s\nRUN x\nFROM a AS t\nRUN y\n" + D +
     "COPY --from=s /a /b\n", "FROM a AS s\nRUN x\nFROM a AS t\nRUN y\n" + D +
     "COPY --from=t /a /b\n"),
    ("copy-from-changed-stage", "FROM a AS s\nRUN x\n" + D + "COPY --from=s /a /b\n",
     "FROM a AS s\nRUN y\n" + D + "COPY --from=s /a /b\n"),
    ("copy-from-image", D + "COPY --from=a:1 /a /b\n", D + "COPY --from=a:2 /a /b\n"),
    ("copy-heredoc-name", D + "COPY <<E /a/\nx\nE\n", D + "COPY <<F /a/\nx\nF\n"),
    ("copy-heredoc-quoting", D + "ENV x=1\nCOPY <<E /a\n$x\nE\n",
     D + "ENV x=1\nCOPY <<'E' /a\n$x\nE\n"),
    ("copy-heredoc-value", D + "ARG x=1\nCOPY <<E /a\n$x\nE\n",
     D + "ARG x=2\nCOPY <<E /a\n$x\nE\n"),
    ("copy-in-other-directory", D + "WORKDIR /a\nCOPY x .\n", D + "WORKDIR /b\nCOPY x .\n"),
    ("add-checksum", D + "ADD --checksum=sha256:" + "0" * 64 + " https://e.org/x /y\n",
     D + "ADD https://e.org/x /y\n"),
    ("add-keep-git-dir", D + "ADD --keep-git-dir=true https://github.com/a/b.git /y\n",
     D + "ADD https://github.com/a/b.git /y\n"),
    ("add-unpack", D + "ADD --unpack=true https://e.org/x.tgz /y\n",
     D + "ADD https://e.org/x.tgz /y\n"),
    ("add-url", D + "ADD https://e.org/x /y\n", D + "ADD https://e.org/z /y\n"),
    ("workdir-user", D + "USER u\nWORKDIR /a\n", D + "WORKDIR /a\nUSER u\n"),
    ("workdir-absolute-in-an-unknown-root", D + "WORKDIR a\n", D + "WORKDIR /a\n"),
    ("env-before-run", D + "ENV x=1\nRUN a\n", D + "RUN a\nENV x=1\n"),
    ("env-same-line-value", D + "ENV a=0\nENV a=1 b=$a\nRUN x\n",
     D + "ENV a=0\nENV a=1 b=1\nRUN x\n"),
    ("arg-value-for-bare", "ARG v=1\n" + D + "ARG v\nRUN a\n", "ARG v=2\n" + D + "ARG v\nRUN a\n"),
    ("arg-not-across-stages", "FROM alpine AS o\nARG v=1\n" + D + "RUN a\n",
     D + "ARG v=1\nRUN a\n"),
    ("arg-behind-env", D + "ENV v=2\nARG v=1\nRUN a\n", D + "ENV v=2\nRUN a\n"),
    ("arg-is-no-literal", D + "ARG v=1\nRUN a\n", D + "ENV v=1\nRUN a\n"),
    ("arg-in-from", "ARG v=1\nFROM a:$v\n", "FROM a:1\n"),
    ("arg-in-from-default", "ARG v=1\nFROM a:$v\n", "ARG v=2\nFROM a:$v\n"),
    ("arg-platform", D + "ARG TARGETARCH\nRUN a\n", D + "ARG BUILDARCH\nRUN a\n"),
    ("platform", "FROM --platform=linux/arm64 debian:12\nRUN a\n", D + "RUN a\n"),
    ("platform-of-the-builder", "FROM --platform=$BUILDPLATFORM debian:12\nRUN a\n", D + "RUN a\n"),
    ("user-empty", D + "USER u\nRUN a\n", D + "RUN a\n"),
    ("onbuild-is-not-run", D + "ONBUILD RUN x\nRUN y\n", D + "RUN x\nRUN y\n"),
    ("bare-arg-keeps-env", D + "ENV v=1\nARG v\nRUN a\n", D + "ENV v=2\nARG v\nRUN a\n"),
    ("bare-arg-keeps-arg", D + "ARG v=1\nARG v\nRUN a\n", D + "ARG v=2\nARG v\nRUN a\n"),
    ("arg-sees-the-same-line", "FROM scratch\nARG a=1 b=$a\nRUN x\n",
     "FROM scratch\nARG a=1 b=\nRUN x\n"),
    ("shebang-runs-in-the-shell", D + 'SHELL ["/bin/bash", "-c"]\nRUN <<E\n#!/bin/sh\nx\nE\n',
     D + "RUN <<E\n#!/bin/sh\nx\nE\n"),
    ("shebang-behind-tabs", D + "RUN <<-E\n\t#!/bin/sh\n\tx\nE\n",
     D + 'RUN ["/bin/sh", "-c", "#!/bin/sh\\nx\\n"]\n'),
    ("add-unpack-false", D + "ADD --unpack=false a.tar /\n", D + "ADD a.tar /\n"),
    ("workdir-keeps-its-slash", D + "WORKDIR /a/\nRUN x\n", D + "WORKDIR /a\nRUN x\n"),
    ("workdir-double-slash", D + "WORKDIR //\nRUN x\n", D + "WORKDIR /\nRUN x\n"),
    ("copy-dot", D + "COPY a /x/.\n", D + "COPY a /x/\n"),
    ("copy-heredoc-escape", TICK + D + "COPY <<E /x\na`b\nE\n", TICK + D + "COPY <<E /x\nab\nE\n"),
    ("path-of-scratch", "FROM scratch\nENV PATH=/x:$PATH\nRUN a\n",
     "FROM scratch\nENV PATH=/x:\nRUN a\n"),
    ("mount-from-number", "FROM a AS s\nRUN x\n" + D + "RUN --mount=from=0,target=/m y\n",
     "FROM a AS s\nRUN x\n" + D + "RUN --mount=from=s,target=/m y\n"),
]  # fmt: skip


def _cases(rows: list[tuple[str, str, str]]) -> list[object]:
    return [pytest.param(*row[1:], id=row[0]) for row in rows]


@pytest.mark.parametrize(("one", "other"), _cases(SAME))
def test_same_build(one: str, other: str) -> None:
    assert last(one).meaning == last(other).meaning
    assert last(one).chain == last(other).chain


@pytest.mark.parametrize(("one", "other"), _cases(OTHER))
def test_another_build(one: str, other: str) -> None:
    assert last(one).meaning != last(other).meaning
    assert last(one).chain != last(other).chain


# Configuration: the same, or another one.

CONFIG_SAME = [
    ("entrypoint-clears-inherited-cmd",
     'FROM a AS b\nENTRYPOINT ["x"]\nCMD ["c"]\nFROM b\nENTRYPOINT ["e"]\n',
     'FROM a AS b\nENTRYPOINT ["x"]\nFROM b\nCMD ["c"]\nENTRYPOINT ["e"]\nCMD []\n'),
    ("entrypoint-before-or-behind-cmd", 'FROM a\nCMD ["c"]\nENTRYPOINT ["e"]\n',
     'FROM a\nENTRYPOINT ["e"]\nCMD ["c"]\n'),
    ("cmd-the-last-counts", "FROM a\nCMD a\nCMD b\n", "FROM a\nCMD b\n"),
    ("cmd-in-the-shell", "FROM a\nCMD b\n", 'FROM a\nCMD ["/bin/sh", "-c", "b"]\n'),
    ("cmd-in-another-shell",
     'FROM a\nSHELL ["x"]\nCMD b\n', 'FROM a\nSHELL ["x"]\nCMD ["x", "b"]\n'),
    ("expose-range", "FROM a\nEXPOSE 80-82\n", "FROM a\nEXPOSE 82 81 80\n"),
    ("expose-tcp", "FROM a\nEXPOSE 80/tcp\n", "FROM a\nEXPOSE 80\n"),
    ("expose-case", "FROM a\nEXPOSE 80/TCP\n", "FROM a\nEXPOSE 80\n"),
    ("expose-twice", "FROM a\nEXPOSE 80\nEXPOSE 80 81\n", "FROM a\nEXPOSE 80 81\n"),
    ("expose-variable", "FROM a\nENV p=80\nEXPOSE $p\n", "FROM a\nENV p=80\nEXPOSE 80\n"),
    ("health-duration", "FROM a\nHEALTHCHECK --interval=1m30s CMD x\n",
     "FROM a\nHEALTHCHECK --interval=90s CMD x\n"),
    ("health-fraction", "FROM a\nHEALTHCHECK --timeout=1.5s CMD x\n",
     "FROM a\nHEALTHCHECK --timeout=1500ms CMD x\n"),
    ("health-zero", "FROM a\nHEALTHCHECK --interval=0s CMD x\n", "FROM a\nHEALTHCHECK CMD x\n"),
    ("health-the-last-counts", "FROM a\nHEALTHCHECK CMD x\nHEALTHCHECK NONE\n",
     "FROM a\nHEALTHCHECK NONE\n"),
    ("volume-forms", 'FROM a\nVOLUME ["/a", "/b"]\n', "FROM a\nVOLUME /b\nVOLUME /a\n"),
    ("label-order", "FROM a\nLABEL x=1 y=2\n", "FROM a\nLABEL y=2\nLABEL x=1\n"),
    ("label-the-last-counts", "FROM a\nLABEL x=1\nLABEL x=2\n", "FROM a\nLABEL x=2\n"),
    ("label-variable", "FROM a\nENV v=1\nLABEL x=$v\n", "FROM a\nENV v=1\nLABEL x=1\n"),
    ("label-quotes", "FROM a\nLABEL x='1 2'\n", 'FROM a\nLABEL x="1 2"\n'),
    ("arg-leaves-no-trace", "FROM a\nARG v=1\n", "FROM a\n"),
    ("maintainer-the-last-counts", "FROM a\nMAINTAINER x\nMAINTAINER y\n",
     "FROM a\nMAINTAINER y\n"),
    ("stopsignal-the-last-counts", "FROM a\nSTOPSIGNAL 9\nSTOPSIGNAL 15\n",
     "FROM a\nSTOPSIGNAL 15\n"),
    ("env-set-again-keeps-its-place", "FROM a\nENV x=1 y=2\nENV x=3\n", "FROM a\nENV x=3 y=2\n"),
    ("onbuild-not-inherited", "FROM a AS b\nONBUILD LABEL x=1\nFROM b AS c\nFROM c\n",
     "FROM a AS b\nLABEL x=1\nFROM b\n"),
]  # fmt: skip

CONFIG_OTHER = [
    ("entrypoint-clears-inherited-cmd", 'FROM a AS b\nCMD ["c"]\nFROM b\nENTRYPOINT ["e"]\n',
     'FROM a\nCMD ["c"]\nENTRYPOINT ["e"]\n'),
    ("health-none", "FROM a\nHEALTHCHECK NONE\n", "FROM a\n"),
    ("health-forms", "FROM a\nHEALTHCHECK CMD x\n", 'FROM a\nHEALTHCHECK CMD ["x"]\n'),
    ("health-retries", "FROM a\nHEALTHCHECK --retries=2 CMD x\n", "FROM a\nHEALTHCHECK CMD x\n"),
    ("expose-udp", "FROM a\nEXPOSE 80/udp\n", "FROM a\nEXPOSE 80\n"),
    ("volume", "FROM a\nVOLUME /a\n", "FROM a\nVOLUME /b\n"),
    ("stopsignal", "FROM a\nSTOPSIGNAL 9\n", "FROM a\n"),
    ("stopsignal-name", "FROM a\nSTOPSIGNAL SIGKILL\n", "FROM a\nSTOPSIGNAL 9\n"),
    ("maintainer", "FROM a\nMAINTAINER x\n", "FROM a\n"),
    ("env-order", "FROM a\nENV x=1 y=2\n", "FROM a\nENV y=2 x=1\n"),
    ("user", "FROM a\nUSER x\n", "FROM a\nUSER y\n"),
    ("workdir", "FROM a\nWORKDIR /x\n", "FROM a\nWORKDIR /y\n"),
    ("shell", 'FROM a\nSHELL ["x"]\n', "FROM a\n"),
    ("shell-by-default-is-set", 'FROM a\nSHELL ["/bin/sh", "-c"]\n', "FROM a\n"),
    ("onbuild", "FROM a\nONBUILD RUN x\n", "FROM a\n"),
    ("onbuild-order", "FROM a\nONBUILD RUN x\nONBUILD RUN y\n",
     "FROM a\nONBUILD RUN y\nONBUILD RUN x\n"),
    ("label-argument", "FROM a\nARG v=1\nLABEL x=$v\n", "FROM a\nLABEL x=1\n"),
    ("another-root", "FROM a\n", "FROM b\n"),
    ("empty-cmd-clears-the-root's", "FROM a\nCMD []\n", "FROM a\n"),
    ("empty-entrypoint-clears-the-root's", "FROM a\nENTRYPOINT []\n", "FROM a\n"),
    ("arguments-escaped", 'FROM a AS b\nCMD x\nFROM b\nENTRYPOINT ["e"]\n',
     'FROM a\nENTRYPOINT ["e"]\n'),
    ("workdir-keeps-its-slash", "FROM a\nWORKDIR /x/\n", "FROM a\nWORKDIR /x\n"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), _cases(CONFIG_SAME))
def test_same_configuration(one: str, other: str) -> None:
    assert last(one).config_digest() == last(other).config_digest()


@pytest.mark.parametrize(("one", "other"), _cases(CONFIG_OTHER))
def test_another_configuration(one: str, other: str) -> None:
    assert last(one).config_digest() != last(other).config_digest()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FROM debian:12\nENV a=${b:?none}\n", "none"),
        ("FROM scratch\nENV a=${b:?none}\n", "none"),
        ("ARG v=\nFROM ${v:-}\n", None),
        ("FROM UPPER\n", "invalid reference"),
    ],
)
def test_what_would_not_build_is_a_problem(text: str, problem: str | None) -> None:
    stage = last(text)
    if text.startswith("FROM debian") or problem is None:
        assert stage.problem is None  # the root image, or an argument, may set it
    else:
        assert problem in (stage.problem or "")


def test_the_root_image_may_cover_an_argument_of_a_lower_stage() -> None:
    above = last("FROM debian AS a\nARG v=1\nFROM a\nRUN x\n")
    assert above.meaning != last("FROM debian\nARG v=1\nRUN x\n").meaning
    scratch = last("FROM scratch AS a\nARG v=1\nFROM a\nRUN x\n")
    assert scratch.meaning == last("FROM scratch\nARG v=1\nRUN x\n").meaning


def test_the_stage_that_is_built_is_another_in_every_file() -> None:
    """TARGETSTAGE has another value in a base than in the images on it."""
    text = "FROM debian AS a\nARG TARGETSTAGE\nRUN x\nFROM debian AS b\nARG TARGETSTAGE\nRUN x\n"
    one, other = (evaluate(parse(Source(path, text))).stages for path in ("one", "other"))
    assert one[0].chain == one[1].chain
    assert one[0].chain != other[0].chain


def test_workdir_of_scratch() -> None:
    """Before the first WORKDIR an image from scratch has none in its configuration."""
    assert (
        last("FROM scratch\n").config_digest() != last("FROM scratch\nWORKDIR /\n").config_digest()
    )
    assert last("FROM scratch\nRUN x\n").meaning == last("FROM scratch\nWORKDIR /\nRUN x\n").meaning
