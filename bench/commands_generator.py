"""Random Dockerfiles full of commands: package managers, downloads, users, and shell around them.

Written for what hadolint and ShellCheck look at. Reproducible by seed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

IMAGES = (
    *("debian:12", "debian:12", "alpine:3.20", "ubuntu", "fedora:40", "node:latest", "python:3.12"),
    *("opensuse/leap:15", "$BASE", "centos:7", "scratch", "golang", "a@sha256:" + "0" * 64),
)
PACKAGES = (
    *("curl", "git", "vim", "ca-certificates", "python3", "g++", "libc6-dev", "gcc-12"),
    *("curl=7.88.1-10", "git=1:2.39.*", "vim=${VIM_VERSION}", "git=$V", "nginx=~1.2", "curl=7"),
    *("$PKGS", "${A}", "'curl'", '"git"', '"vim=9.0"', "'a'=1", "./local.deb", "/tmp/a.deb"),
    *("https://x.example/a.rpm", "*.deb", "git/bookworm", "libfoo:amd64", "a+", "b-", "{a,b}"),
    *("$(cat list)", "`cat list`", "foo<2", "python3==3.11", "x@1.2", "foo-1.2", "foo-1.2-3.el9"),
)
PIP = (
    *("requests", "flask==2.0", "flask>=2", "flask~=2.0", "a[b]", "a[b]==1", ".", "..", "./pkg"),
    *("-r requirements.txt", "--requirement=r.txt", "git+https://x.example/a.git", "$PKG"),
    *(
        "git+https://x.example/a.git@v1",
        "https://x.example/a.whl",
        "a.whl",
        "/tmp/a.tar.gz",
        "-e .",
    ),
    *("-c constraints.txt b", "'django<4'", '"x==1.*"', "a==$V", "a===1", "setuptools", "a @ b"),
    *(
        "--constraint c.txt d==1",
        "-t /x y",
        ".[dev]",
        "file:///x",
        "pip",
        "pip==23",
        "--editable=.",
    ),
)
NPM = (
    *("express", "express@4", "@angular/cli", "@angular/cli@17.0.0", "a@latest", "a@^1.2", "."),
    *(
        "git+https://x.example/a.git",
        "git+https://x.example/a.git#v1",
        "./a.tgz",
        "https://x.example/a.tgz",
    ),
    *("github:a/b", "a/b", "a/b#v1", "$PKG", "a@$V", "file:../a", "a.tgz", "/a", "alias@npm:b@1"),
)
GEM = (
    "bundler",
    "bundler:2.1",
    "rake -v 13",
    "rake --version 13",
    "a.gem",
    "-v '1' a",
    "b:1 c",
    "$G",
)
GO = (
    *(
        "x.example/a@latest",
        "x.example/a@v1.2.3",
        "x.example/a",
        "./...",
        ".",
        "x.example/a/...@v1",
    ),
    *("$TOOL", "x.example/a@$V", "example.org/b@main"),
)
APT_OPTIONS = (
    *("-y", "-qq", "-qqy", "--yes", "--no-install-recommends", "-o Dpkg::Use-Pty=0", "-t bookworm"),
    *("--assume-yes", "-q=2", "-y", "--no-install-recommends", "-f", "--fix-broken", "-V"),
    *('-o Dpkg::Options::="--force-confold"', "--option APT::Install-Recommends=false", "-oA=b"),
    *("--target-release=stable", "--allow-downgrades", "-y --no-install-recommends", "-c /x", "-d"),
    *("-o APT::Install-Recommends=0", "--reinstall", "--quiet", "-qqqy", "-y=true", "--quiet=2"),
)
APK_OPTIONS = (
    *("--no-cache", "--no-cache", "--virtual .deps", "-t .x", "--update", "-U", "-q", "--root /x"),
    *("--repository=x", "-X http://x.example", "--no-progress", "--update-cache"),
)
YUM_OPTIONS = (
    *("-y", "-y", "--assumeyes", "-q", "--setopt=tsflags=nodocs", "--nogpgcheck", "--enablerepo=x"),
    *("--enablerepo x", "--nobest", "--best", "--disablerepo='*'", "-v", "-qy", "--allowerasing"),
)
ZYPPER_OPTIONS = (
    *("-y", "-n", "--non-interactive", "--no-confirm", "--no-recommends", "--no-refresh", "-q"),
    *("--repo x", "--no-gpg-checks", "-l", "--gpg-auto-import-keys"),
)
PIP_OPTIONS = (
    *("--no-cache-dir", "-U", "--upgrade", "--user", "-q", "--index-url https://x.example", "-i u"),
    *("--no-deps", "--no-binary :all:", "--extra-index-url=u", "--no-cache-dir", "--target /x"),
    *("--pre", "--trusted-host x", "-f u", "--no-cache", "--break-system-packages", "--timeout 5"),
    *(
        "--platform linux",
        "--prefix=/x",
        "--no-build-isolation",
        "--proxy p",
        "--root-user-action=ignore",
    ),
)
REMOVALS = (
    *("rm -rf /var/lib/apt/lists/*", "rm -rf /var/lib/apt/lists", "apt-get clean", "yum clean all"),
    *("rm -rf /var/cache/yum/*", "dnf clean all", "zypper clean", "rm -r /var/lib/apt/lists/*"),
    *("rm -f /var/lib/apt/lists/*.d", "zypper cc -a", "microdnf clean all", "rm -rf /tmp/*"),
    *("rm -rf /var/cache/apk/*", "apt-get autoremove -y", "yarn cache clean", "apt-get dist-clean"),
    *("dnf -y clean all", "rm -rf /var/lib/apt/lists/* /tmp/*", "rm -fr -- /var/lib/apt/lists/*"),
    *(
        "rm -rf /var/cache/libdnf5*",
        "npm cache clean --force",
        "yum -y clean all",
        "dnf clean packages",
    ),
    *(
        "find /var/lib/apt/lists -type f -delete",
        "rm -rf /var/cache/dnf",
        "rm -rf /var/{cache,log}",
    ),
)
SHELL = (
    *(
        "cd /tmp",
        "cd build",
        "cd $DIR",
        "echo $A",
        'echo "$A"',
        "ls *.txt",
        "x=`date`",
        "export A=$(b)",
    ),
    *(
        "make install",
        "./configure --prefix=/usr",
        "sudo make",
        "ps aux",
        "kill 1",
        "service x start",
    ),
    *("useradd app", "useradd -u 123456 app", "useradd -l -u 1234567 a", "useradd --uid=1000000 a"),
    *(
        "useradd -lu 1234567 b",
        "useradd -u $UID a",
        "adduser -D app",
        "groupadd -g 1 a",
        "top",
        "vim x",
    ),
    *(
        "curl -fsSL https://x.example/a -o a",
        "wget https://x.example/a",
        "wget -q https://x.example/a",
    ),
    *(
        "curl https://x.example | sh",
        "wget -nv x",
        "wget --progress=dot:giga x",
        "wget -qO- x | tar xz",
    ),
    *(
        "wget -O a x",
        "wget --no-verbose x",
        "wget -o log x",
        "wget -a log x",
        "wget --quiet x",
        "which wget",
    ),
    *(
        "ln -s /bin/bash /bin/sh",
        "ln -sf bash /bin/sh",
        "ln -snf /bin/dash /bin/sh",
        "shutdown now",
    ),
    *(
        "apt update",
        "apt install -y curl",
        "apt-get upgrade",
        "apt list",
        "apt-get dist-upgrade -y",
    ),
    *("yarn install", "yarn add a", "yarn --frozen-lockfile", "yarn global add x", "yarn"),
    *(
        "echo -e 'a\\nb'",
        "echo 'a\\nb'",
        "[ $A == b ]",
        "[[ -f a ]]",
        "test -f a",
        "source ./env",
        ". ./env",
    ),
    *(
        "set -e",
        "set -o pipefail",
        "set -ex",
        "set -eo pipefail",
        "pushd x",
        "true",
        "exit 0",
        "A=1 make",
    ),
    *(
        "find . -name *.c | xargs rm",
        "cat a | grep b",
        "read x",
        "for f in $(ls); do x; done",
        "local x",
        "let a=1",
    ),
    *(
        "rm -rf $DIR/*",
        'rm -rf "${DIR}"/x',
        "mkdir -p a && cd a",
        "grep a b | wc -l",
        "mount x",
        "free",
    ),
    *("bash -c 'cd x; y'", 'sh -c "apt-get install curl"', "bash -lc 'pip install x'", "eval $X"),
    *(
        "ssh a",
        "ifconfig",
        "systemctl start x",
        "printf $A",
        "trap x 0",
        "echo $(( 1 + 2 ))",
        "a=$[1]",
    ),
    *(
        "zypper dup -y",
        "zypper dist-upgrade",
        "zypper -n dup",
        "echo apt-get install x",
        "nohup x",
    ),
)


def for_commands(random: Random) -> str:
    """One Dockerfile with commands."""
    lines = []
    if random.random() < 0.05:
        lines.append(random.choice(("# hadolint global ignore=DL3008", "# hadolint shell=bash")))
    lines += ["ARG BASE=debian:12"] if random.random() < 0.3 else []
    for number in range(random.choice((1, 1, 1, 2, 3))):
        name = f" AS s{number}" if random.random() < 0.6 else ""
        image = "s0" if number and random.random() < 0.15 else random.choice(IMAGES)
        lines.append(f"FROM {image}{name}")
        for _ in range(random.choice((1, 2, 3, 5))):
            if random.random() < 0.08:
                lines.append(
                    f"# hadolint ignore={random.choice(('DL3008', 'SC2086,DL4006', 'DL3003'))}"
                )
            line = run(random) if random.random() < 0.7 else random.choice(_OTHERS)
            if line is _USER:
                line = f"USER {random.choice(('root', 'app', '0', '1000', '$U', 'app:app', '0:0'))}"
            lines.append(f"ONBUILD {line}" if random.random() < 0.04 else line)
    return "\n".join(lines) + "\n"


_USER = "USER"
_OTHERS = (
    *(_USER, _USER, 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]', 'SHELL ["/bin/sh", "-e", "-c"]'),
    *(
        "WORKDIR /app",
        "WORKDIR app",
        "ENV A=1 B=$A",
        "ENV VIM_VERSION=9 V=1",
        "ARG PKGS",
        "ARG A=x",
    ),
    *(
        "COPY a b",
        "COPY a b /c",
        "COPY a b c/",
        "ADD a.txt /a",
        "ADD a.tar.gz /a",
        "ADD https://x.example/a /",
    ),
    *(
        "COPY --from=s0 /a /b",
        "COPY --from=nope /a /b",
        "CMD a b",
        'CMD ["a"]',
        "ENTRYPOINT a",
        "CMD a",
    ),
    *(
        "LABEL a=b",
        'LABEL a=""',
        "EXPOSE 80",
        "EXPOSE 99999",
        "HEALTHCHECK CMD x",
        "HEALTHCHECK NONE",
    ),
    *(
        "MAINTAINER me",
        "RUN --network=none make",
        "VOLUME /x",
        "COPY x.tar.gz /y",
        "STOPSIGNAL SIGTERM",
    ),
    *(
        'SHELL ["/bin/ash", "-o", "pipefail", "-c"]',
        "ENV PATH=$PATH:/x",
    ),
    *(
        'ENTRYPOINT ["a"]',
        "ENV B=2 C=${B}",
        "ARG UID=1000",
        "COPY . .",
        "ARG API_KEY",
        "ENV DB_PASSWORD=x",
    ),
)


def run(random: Random) -> str:
    """A RUN in one of its forms."""
    form = random.random()
    mount = random.choice(_MOUNTS) + " " if random.random() < 0.1 else ""
    if form < 0.05:
        return f"RUN {mount}" + json.dumps(random.choice(_SIMPLE)(random).split())
    if form < 0.08:
        return f"RUN {mount}" + json.dumps(["bash", "-c", script(random)])
    if form < 0.15:
        body = "\n".join(command(random, 0) for _ in range(random.randint(1, 4)))
        return f"RUN {mount}<<{random.choice(('EOF', '-EOF'))}\n{body}\nEOF"
    return f"RUN {mount}{_broken(random, script(random))}"


_MOUNTS = (
    *("--mount=type=cache,target=/var/cache/apt", "--mount=type=cache,target=/root/.cache/pip"),
    *("--mount=type=cache,target=/var/lib/apt/lists", "--mount=type=tmpfs,target=/var/lib/apt"),
    *("--mount=type=cache,target=/root/.cache", "--mount=type=bind,target=/x --mount=type=ssh"),
    *("--mount=type=cache,target=/var/cache/yum", "--mount=type=cache,target=/var/cache/apk"),
    *(
        "--mount=type=cache,target=/var/cache/dnf",
        "--mount=type=cache,target=/usr/local/share/.cache/yarn",
    ),
    *("--network=host", "--security=insecure"),
)


def script(random: Random) -> str:
    parts = [command(random, 0)]
    for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
        joint = random.choice((" && ", " && ", " && ", "; ", " || ", " | ", "  &&  ", " ; ", "&&"))
        parts += (joint, command(random, 0))
    return "".join(parts)


def command(random: Random, depth: int) -> str:
    """One command, perhaps with others inside."""
    kind = random.random()
    if depth < 2 and kind < 0.12:
        inner, other = command(random, depth + 1), command(random, depth + 1)
        return random.choice(
            (
                f"({inner} && {other})",
                f"{{ {inner}; {other}; }}",
                f"if {inner}; then {other}; fi",
                f"for p in a b; do {inner}; done",
                f"while {inner}; do {other}; done",
                f"case $A in x) {inner} ;; *) {other} ;; esac",
                f"x=$({inner})",
                f"! {inner}",
                f'if [ -n "$A" ]; then {inner}; else {other}; fi',
                f"time {inner}",
                f'echo "$({inner})"',
                f"f() {{ {inner}; }}; f",
            )
        )
    text = random.choice(_SIMPLE)(random)
    if random.random() < 0.07:
        text = random.choice(_PREFIXES) + text
    if random.random() < 0.07:
        text += random.choice((" > /dev/null", " 2>&1", " >/dev/null 2>&1", " < a", " >> $LOG"))
    return text


_PREFIXES = (
    *("DEBIAN_FRONTEND=noninteractive ", "sudo ", "env A=b ", "exec ", "sudo -E ", "A=b C=d "),
    *("/usr/bin/", "nice ", "xargs ", "eatmydata ", "time -p ", "command ", "PIP_NO_CACHE_DIR=1 "),
)


def _some(random: Random, words: Sequence[str], most: int) -> list[str]:
    return [random.choice(words) for _ in range(random.randint(0, most))]


def _apt(random: Random) -> str:
    verb = random.choice(
        ("install",) * 6 + ("update", "update", "upgrade", "remove", "clean", "source")
    )
    before, after = _some(random, APT_OPTIONS, 2), _some(random, APT_OPTIONS, 1)
    packages = []
    if verb in ("install", "remove", "source"):
        packages = [random.choice(PACKAGES), *_some(random, PACKAGES, 2)]
    tool = random.choice(("apt-get",) * 6 + ("apt", "aptitude"))
    words = [tool, *before, verb, *packages[:1], *after, *packages[1:]]
    line = " ".join(words)
    return f"apt-get update && {line}" if random.random() < 0.4 else line


def _system(random: Random) -> str:
    tool, options, verbs = random.choice(_SYSTEM)
    verb = random.choice(verbs)
    words = [tool, *_some(random, options, 2), verb, *_some(random, options, 1)]
    return " ".join((*words, random.choice(PACKAGES), *_some(random, PACKAGES, 2)))


_SYSTEM = (
    ("apk", APK_OPTIONS, ("add", "add", "add", "update", "del", "upgrade", "fetch")),
    ("apk", APK_OPTIONS, ("add",)),
    ("yum", YUM_OPTIONS, ("install", "install", "update", "groupinstall", "localinstall")),
    ("dnf", YUM_OPTIONS, ("install", "install", "module install", "upgrade", "groupinstall")),
    ("microdnf", YUM_OPTIONS, ("install", "update")),
    ("zypper", ZYPPER_OPTIONS, ("install", "in", "update", "refresh", "remove", "patch")),
    ("tdnf", YUM_OPTIONS, ("install",)),
)


def _language(random: Random) -> str:
    tool, options, packages = random.choice(
        (
            ("pip install", PIP_OPTIONS, PIP),
            ("pip3 install", PIP_OPTIONS, PIP),
            ("python -m pip install", PIP_OPTIONS, PIP),
            ("python3 -m pip install", PIP_OPTIONS, PIP),
            ("pip3.11 install", PIP_OPTIONS, PIP),
            ("pip --no-cache-dir install", PIP_OPTIONS, PIP),
            ("pip download", PIP_OPTIONS, PIP),
            ("uv pip install", PIP_OPTIONS, PIP),
            ("pipx install", PIP_OPTIONS, PIP),
            (
                "npm install",
                ("-g", "--save", "--production", "--prefix /x", "--loglevel=error"),
                NPM,
            ),
            ("npm i", ("-g", "--quiet"), NPM),
            ("npm ci", ("--only=production",), ()),
            ("gem install", ("--no-document", "-N", "--source u", "-i x"), GEM),
            ("go install", ("-v", "-ldflags='-s -w'", "-tags x"), GO),
            ("go get", ("-u", "-d", "-v"), GO),
            ("go run", ("-mod=mod",), GO),
        )
    )
    return " ".join(
        (tool, *_some(random, options, 2), *_some(random, packages or ("",), 2))
    ).strip()


def _removal(random: Random) -> str:
    return random.choice(REMOVALS)


def _shell(random: Random) -> str:
    return random.choice(SHELL)


_SIMPLE = (
    _apt,
    _apt,
    _apt,
    _system,
    _system,
    _language,
    _language,
    _removal,
    _shell,
    _shell,
    _shell,
)


def _broken(random: Random, text: str) -> str:
    """``text`` with some blanks made line breaks, comments between."""
    if random.random() < 0.7:
        return text
    words = text.split(" ")
    out = words[0]
    for word in words[1:]:
        if random.random() < 0.2 and word not in ("", "#"):
            comment = random.choice(("", "", "", "", "# why\n", "    # why not\n", "\n"))
            out += f" \\\n{comment}    {word}"
        else:
            out += f" {word}"
    return out
