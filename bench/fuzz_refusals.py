"""Compare which instructions we refuse with BuildKit's instruction parser, as tally carries it.

    python bench/fuzz_refusals.py --count 2000 --seed 1

Differences that are not drawn, each with its reason:

* *ONBUILD of FROM, MAINTAINER, ONBUILD*: BuildKit refuses them, tally makes findings of them.
* *before the first FROM*: BuildKit refuses all but ARG there, tally overlooks it.
* *breaks of a JSON array and unterminated heredocs*: tally gives no line for what makes a whole
  file unreadable; verdict and message are compared.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from dockstrata.source import Source
from dockstrata.syntax.parse import parse

KEYWORDS = (
    *("FROM", "RUN", "CMD", "LABEL", "MAINTAINER", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT"),
    *("VOLUME", "USER", "WORKDIR", "ARG", "STOPSIGNAL", "HEALTHCHECK", "SHELL", "HEALTHCHECK"),
    *("RUN", "COPY", "ADD", "FROM", "Run", "healthcheck", "CPOY", "frm", "labels", "wat", "EN"),
)
FLAGS = (
    *("mount", "network", "security", "device", "from", "chown", "chmod", "link", "parents"),
    *("exclude", "checksum", "keep-git-dir", "unpack", "platform", "interval", "timeout", "lnk"),
    *("start-period", "start-interval", "retries", "foo", "", "Link", "form", "a", "retrys"),
)
VALUES = (
    *(
        "",
        "a",
        "true",
        "FALSE",
        "1",
        "yes",
        "1s",
        "0",
        "-1s",
        "1h30m",
        "1us",
        "999us",
        "1x",
        "1.5ms",
    ),
    *(
        ".5s",
        "1.s",
        "-",
        "+1s",
        "99999999999h",
        "2562047h47m16.854775807s",
        "9223372036854775808ns",
    ),
    *("-1", "2147483647", "2147483648", "-2147483649", "1_0", "0x1", "+3", "007", "none", "host"),
    *("default", "NONE", "sandbox", "insecure", "type=bind", "type=cache,target=/a", "from=$x"),
    *(
        "from=a,from=$b",
        "FROM=$",
        'a\\"b',
        '\\"a\\"',
        '\\"a',
        '\\"a\\"\\"b\\"',
        'a,\\"b',
        "a=b",
        "a,b=c",
    ),
    *("a,required", "required=x", "a,required=x", "name=a", "a,name=b", ",", "a,", "required=true"),
    *(
        '\\"a\\"b',
        'a,\\"b\\",c',
        '\\"\\"',
        "'a b'",
        "1s1",
        "1ms1us",
        "0.0000001s",
        "0s",
        "00",
        "é",
        "1é",
    ),
)
WORDS = (
    *("a", "b", "as", "AS", "a=b", "=", "=b", '""', '"a b"', "<<E", "NONE", "CMD", "none", "cmd"),
    *("1", "a/b", "A", "a.b_c-d", "1a", "É", "[]", '["a"]', '["a","b"]', '[""]', '["a", "<<E"]'),
    *("[1]", "#", "3<<E", "x<<E", '"', "'", "\\", "$a", "a:b@c", "foo"),
)


def instruction(random: Random) -> str:
    """One instruction that is nearly right."""
    words = [random.choice(KEYWORDS)]
    while random.random() < 0.45:
        name, value = random.choice(FLAGS), random.choice(VALUES)
        words.append(f"--{name}={value}" if random.random() < 0.85 else f"--{name}")
    words += random.choices(WORDS, k=random.choice((0, 1, 1, 2, 2, 3)))
    line = " ".join(words)
    names = re.findall(r"(?<!\S)\d*<<(\w)", line)
    return line + "".join(f"\nx\n{name}" for name in names)


def generate(random: Random) -> str:
    lines = ["FROM a", *(instruction(random) for _ in range(random.choice((1, 1, 2))))]
    return "\n".join(lines) + "\n"


def ours(text: str) -> tuple[int | None, str] | None:
    document = parse(Source("Dockerfile", text))
    if not document.faults:
        return None
    fault = document.faults[0]
    return (None if fault.kind == "syntax" else fault.line), fault.message


def theirs(text: str) -> tuple[int | None, str] | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "Dockerfile")
        path.write_text(text, encoding="utf-8")
        command = ["tally", "lint", "--no-config", "--format", "json", "--fail-level", "none"]
        options = ["--select", "buildkit/*", "--slow-checks", "off", str(path)]
        done = subprocess.run(command + options, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    message = done.stderr.removesuffix("\n").removeprefix("Error: failed to lint Dockerfile: ")
    message = message.removeprefix(f"Error: failed to lint {path}: ")
    found = re.fullmatch(r"dockerfile parse error on line (\d+): (.*)", message, re.DOTALL)
    return (int(found[1]), found[2]) if found else (None, message)


def differences(texts: Sequence[str], jobs: int) -> list[str]:
    found: list[str] = []
    with ThreadPoolExecutor(jobs) as pool:
        for text, other in zip(texts, pool.map(theirs, texts), strict=True):
            mine = ours(text)
            if mine != other:
                found.append(f"{text!r}\n    ours    {mine}\n    BuildKit {other}")
    return found


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--count", type=int, default=500)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--jobs", type=int, default=2)
    given = options.parse_args()
    random = Random(given.seed)
    texts = [generate(random) for _ in range(given.count)]
    refused = Counter("refused" if ours(text) else "accepted" for text in texts)
    found = differences(texts, given.jobs)
    print("\n".join(found[:30]))
    print(f"{len(texts)} inputs ({dict(refused)}), {len(found)} different")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
