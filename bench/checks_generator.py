"""Random Dockerfiles full of what linters look for: valid, unlike those of dockerfile_generator.

``for_checks`` has occasions for each of BuildKit's checks, ``mutate`` changes words and lines of
real files. Reproducible by seed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

NAMES = ("A", "B", "VERSION", "APP_HOME", "base_dir", "PATH", "HTTP_PROXY", "http_proxy", "Foo")
SECRETS = (
    *("PASSWORD", "DB_PASSWORD", "password", "API_KEY", "APIKEY", "SECRET_NAME", "MY_TOKEN"),
    *("AUTH", "AUTHOR", "PUBLIC_KEY", "KEY_PUBLIC", "publickey", "GPG_KEY", "KEYRING", "MONKEY"),
    *("PWORD", "passwd_file", "CREDENTIAL", "CREDENTIALS_DIR", "TOKENS", "USERNAME", "DB_USERNAME"),
    *("PRIVATE_KEY_FILE", "a_secret_b", "Token", "auth_public_x", "KEY", "key", "NO_SECRETS"),
    *("_key", "key_", "MYPASSWORD", "PASSWORD1"),
)
STAGES = ("build", "Build", "BASE", "base", "scratch", "context", "Context", "linux", "amd64", "b1")
IMAGES = (
    *("alpine:3.20", "debian", "busybox:latest", "scratch", "ghcr.io/a/b:1", "localhost:5000/x"),
    *("a@sha256:" + "0" * 64, "Ubuntu", "$A", "${B}", "alpine:$VERSION", "alpine:${VERSION:-3}"),
    *("${A:-debian}", "${UNSET}", "node:${VERSION}-slim", "mcr.microsoft.com/windows/nanoserver"),
    *("${A}/${B}", "${REGISTRY:-docker.io}/a", "x/$TARGETARCH", "$BUILDPLATFORM", "a:${B}${C}"),
    *("${VERSION:+a:1}", "${A:?no}", "alpine:", "a:b:c"),
)
PLATFORMS = (
    *("linux/amd64", "$BUILDPLATFORM", "${BUILDPLATFORM}", "$TARGETPLATFORM", "${TARGETPLATFORM}"),
    *("linux/arm64/v8", "$PLATFORM", "${A:-linux/amd64}", "linux/$TARGETARCH", "$TARGETOS/$B"),
    *("${TARGETPLATFORM:-linux/amd64}", "windows/amd64", "'linux/amd64'"),
)
WORDS = (
    *("$A", "${B}", "${VERSION:-1}", "${NOWHERE}", "$NOWHERE/x", "${Foo:+b}", "$VERSOIN", "$PTAH"),
    *("${APP_HOME}/bin", "\\$A", "'$B'", '"$B"', "a", "/srv", "$HOME", "$TARGETARCH", "$PATH"),
    *("${HTTP_PROXY}", "$http_proxy", "${A:-$NOWHERE}", "${A-}", "${B:?set}", "${APP_HOM}", "b$1"),
    *(
        "${VERSION%.*}",
        "${VERSION##v}",
        "${A/b/c}",
        "$$",
        "a$",
        "${DB_PASSWORD}",
        "$SOURCE_DATE_EPOCH",
    ),
)
PORTS = (
    *(
        "80",
        "80/tcp",
        "80/TCP",
        "53/Udp",
        "8080:80",
        "127.0.0.1:80:80",
        "8000-8010",
        "$A",
        "${B}/TCP",
    ),
    *("80/$A", "1:2/TCP", "$A:80", "[::1]:80:80", "80/sctp", "8000-8010/UDP", "0.0.0.0::80", ":80"),
)
PATHS = (
    *("/app", "app", "./app", "../x", "$APP_HOME", "${A}/b", "$NOWHERE", "/", "C:\\app", "c:/app"),
    *('"/app"', '"app"', "'a b'", "\\app", "${A:-/x}", "${A:-x}", "a/../b", "x/$A", "D:", "/a/$B"),
)
COMMANDS = (
    *('["a", "b"]', "a b", "a $NOWHERE", '["a"]', "[a]", "exec a", 'a "b"', '["a", b]', "[]"),
)
DIRECTIVES = (
    *("# syntax=docker/dockerfile:1", "# check=skip=all", "# check=error=true", "# escape=`"),
    "# check=skip=UndefinedVar,FromAsCasing",
    *("# check=skip=JSONArgsRecommended", "# check=skip=StageNameCasing,WorkdirRelativePath"),
    "# check=experimental=all",
    *("# check=experimental=InvalidDefinitionDescription", "# check=skip=NoSuch", "# check=skip="),
)
COMMENTS = (
    *("# build is what builds", "# A says what", "#", "# other", ""),
    *("   # indented", "#VERSION of it", "# base", "", ""),
)


def for_checks(random: Random) -> str:
    """One Dockerfile with occasions for BuildKit's checks."""
    lines: list[str] = []
    if random.random() < 0.15:
        lines.append(random.choice(DIRECTIVES))
    case = random.choice(("upper",) * 5 + ("lower", "lower", "mixed"))
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        lines.append(_arg(random))
    for _ in range(random.choice((1, 1, 2, 2, 3, 4))):
        lines += _comments(random)
        lines.append(_from(random))
        for _ in range(random.choice((1, 2, 4, 6, 9))):
            lines += _comments(random)
            make, weight = random.choice(_INSTRUCTIONS)
            line = make(random) if random.random() < weight else f"RUN echo {_word(random)}"
            if random.random() < 0.07:
                line = "ONBUILD " + line
            lines.append(line)
    # The escape directive makes a backslash an ordinary character, so lines are not broken there.
    broken = "escape" not in lines[0]
    return "\n".join(_finish(random, line, case, broken) for line in lines) + "\n"


def _finish(random: Random, line: str, case: str, broken: bool) -> str:
    keyword, space, rest = line.partition(" ")
    if not keyword.isalpha() or keyword.startswith("#"):
        return line
    if case == "lower" or (case == "mixed" and random.random() < 0.4):
        keyword = keyword.lower()
    if random.random() < 0.02:
        keyword = keyword.capitalize()
    if broken and " " in rest and random.random() < 0.12:
        at = random.choice([match.start() for match in re.finditer(" ", rest)])
        between = random.choice(("", "", "", "\n", "# why\n", "  \n", "# why\n\n"))
        rest = rest[:at] + " \\\n" + between + "  " + rest[at + 1 :]
    return keyword + space + rest


def _comments(random: Random) -> list[str]:
    return [random.choice(COMMENTS) for _ in range(random.choice((0, 0, 0, 1, 2)))]


def _word(random: Random) -> str:
    return random.choice(WORDS)


def _name(random: Random) -> str:
    return random.choice(NAMES + SECRETS if random.random() < 0.5 else NAMES)


def _from(random: Random) -> str:
    words = ["FROM"]
    if random.random() < 0.25:
        words.append(f"--platform={random.choice(PLATFORMS)}")
    image = random.choice(IMAGES[:8] + STAGES[:4]) if random.random() < 0.6 else None
    words.append(image or random.choice(IMAGES))
    if random.random() < 0.7:
        words += (random.choice(("AS", "AS", "as", "As")), random.choice(STAGES))
    return " ".join(words)


def _arg(random: Random) -> str:
    words = []
    for _ in range(random.choice((1, 1, 1, 2))):
        name = _name(random)
        value = random.choice(("3", "debian", '""', "", _word(random), "linux/amd64", "'a b'"))
        words.append(name if random.random() < 0.4 else f"{name}={value}")
    return "ARG " + " ".join(words)


def _pairs(keyword: str) -> Callable[[Random], str]:
    def make(random: Random) -> str:
        if random.random() < 0.3:
            value = random.choice(("a", "a b", "a=b", '"a b"', _word(random)))
            return f"{keyword} {_name(random)}{random.choice((' ', ' ', '  '))}{value}"
        pairs = [f"{_name(random)}={_word(random)}" for _ in range(random.choice((1, 1, 2, 3)))]
        return f"{keyword} {' '.join(pairs)}"

    return make


def _copy(keyword: str) -> Callable[[Random], str]:
    def make(random: Random) -> str:
        words = [keyword]
        if keyword == "COPY" and random.random() < 0.4:
            words.append(f"--from={random.choice((*STAGES, '0', '1', 'nginx:1', 'alpine'))}")
        if random.random() < 0.2:
            words.append(f"--chown={_word(random)}:1")
        if random.random() < 0.1:
            return " ".join(
                (*words, f'["{_word(random)}", "/x/"]'.replace('""', '"').replace("\\", ""))
            )
        return " ".join((*words, _word(random), random.choice(PATHS)))

    return make


def _simple(keyword: str, values: Sequence[str], most: int = 1) -> Callable[[Random], str]:
    def make(random: Random) -> str:
        count = random.randint(1, most)
        return f"{keyword} {' '.join(random.choice(values) for _ in range(count))}"

    return make


def _health(random: Random) -> str:
    flag = random.choice(("", "--interval=5s ", "--retries=3 --timeout=1s "))
    what = random.choice(("NONE", "none", *(f"CMD {command}" for command in COMMANDS)))
    return f"HEALTHCHECK {flag}{what}"


_INSTRUCTIONS: tuple[tuple[Callable[[Random], str], float], ...] = (
    (_arg, 1),
    (_arg, 1),
    (_pairs("ENV"), 1),
    (_pairs("ENV"), 1),
    (_pairs("LABEL"), 1),
    (_copy("COPY"), 1),
    (_copy("ADD"), 0.5),
    (_simple("EXPOSE", PORTS, 3), 1),
    (_simple("WORKDIR", PATHS), 1),
    (_simple("WORKDIR", PATHS), 1),
    (_simple("CMD", COMMANDS), 1),
    (_simple("ENTRYPOINT", COMMANDS), 1),
    (_health, 1),
    (_simple("RUN", COMMANDS), 0.5),
    (_simple("USER", (*WORDS, "root", "1000", "app:app")), 0.7),
    (_simple("VOLUME", (*PATHS[:6], '["/a b"]', "/a $B")), 0.6),
    (_simple("STOPSIGNAL", ("SIGTERM", "9", "$A", "$NOWHERE")), 0.6),
    (_simple("MAINTAINER", ("me", "$A", "a <a@b.c>")), 0.5),
    (_simple("SHELL", ('["/bin/bash", "-c"]', '["cmd"]')), 0.4),
    (lambda random: f"RUN <<EOF\necho {_word(random)}\nEOF", 0.3),
    (lambda random: f"COPY <<EOF {random.choice(PATHS)}\n{_word(random)}\nEOF", 0.3),
    (lambda random: f"RUN --mount=type=cache,target={_word(random)} x", 0.3),
)


def mutate(random: Random, texts: Sequence[str], lines: Sequence[str]) -> str:
    """One of ``texts`` with a few words and lines changed; ``lines``: where new ones come from."""
    rows = random.choice(texts).split("\n")
    for _ in range(random.choice((1, 2, 3, 5))):
        kind = random.randrange(9)
        at = random.randrange(len(rows))
        words = rows[at].split(" ")
        word = random.randrange(len(words))
        if kind == 0:
            rows.insert(at, random.choice(lines))
        elif kind == 1 and len(rows) > 1:
            del rows[at]
        elif kind == 2:
            other = random.randrange(len(rows))
            rows[at], rows[other] = rows[other], rows[at]
        elif kind == 3 and len(words) > 1:
            del words[word]
            rows[at] = " ".join(words)
        elif kind == 4:
            words[word] = random.choice(random.choice(lines).split(" "))
            rows[at] = " ".join(words)
        elif kind == 5:
            words[word] = random.choice((words[word].lower(), words[word].upper(), _word(random)))
            rows[at] = " ".join(words)
        elif kind == 6:
            words.insert(word, random.choice(random.choice(lines).split(" ")))
            rows[at] = " ".join(words)
        elif kind == 7:
            rows.insert(at, rows[at])
        else:
            words[word] = re.sub(
                "[A-Za-z0-9_]+", lambda _: random.choice(NAMES + SECRETS), words[word], count=1
            )
            rows[at] = " ".join(words)
    return "\n".join(rows)
