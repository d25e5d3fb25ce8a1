"""Why our findings and hadolint's differ on commands; see check_reasons.py."""

from __future__ import annotations

import re
from collections.abc import Callable

from check_reasons import OURS, THEIRS, Kind, Place

from dockstrata.syntax.shell import shell_of

PINNING = (
    *("DL3008", "DL3013", "DL3016", "DL3018", "DL3028", "DL3033", "DL3037", "DL3041", "DL3062"),
)
CLEANING = ("DL3032", "DL3036", "DL3040", "DL3060")


def _text(pattern: str) -> Callable[[Place], bool]:
    """Whether the instruction's logical line has ``pattern``."""
    search = re.compile(pattern).search
    return lambda place: (
        search(place.inner.line) is not None
        or any(search(text.content) is not None for text in place.inner.heredocs)
    )


def _json(place: Place) -> bool:
    return place.inner.json


def _trigger(place: Place) -> bool:
    return place.node.trigger is not None


def _other_shell(place: Place) -> bool:
    shell = place.found[1].before.shell if place.found else ()
    return shell_of(place.inner, shell) is None


def _nobody_runs(place: Place) -> bool:
    """Whether the stage is neither the last nor one that another is built on."""
    stages = place.file.evaluation.stages
    index = place.found[0].index if place.found else -1
    return index < len(stages) - 1 and all(stage.parent != index for stage in stages)


def _wrapped(place: Place) -> bool:
    """Whether the RUN or the one above has a runner before its command, or is in exec form."""
    above = [n for n in place.file.document.instructions if n.end_line < place.line][-1:]
    return any(
        node.json or re.search(r"\b(?:time|exec|command)\s|^\s*!|\bset\b", node.rest) is not None
        for node in (place.inner, *above)
    )


def _commented(place: Place) -> bool:
    return "hadolint shell=" in place.file.source.text


def _line_above(place: Place) -> str:
    lines = place.file.source.text.split("\n")
    return lines[place.node.start_line - 2] if place.node.start_line > 1 else ""


def _no_name(place: Place) -> bool:
    """Whether an ENV above sets what is no name of a shell's variable: hadolint exports it."""
    return any(
        not re.fullmatch(r"[A-Za-z_]\w*", name)
        for node in place.file.document.instructions
        if node.keyword == "ENV" and node.end_line < place.line
        for name, _ in node.pairs()
    )


def _several_names(place: Place) -> bool:
    return any(
        node.keyword == "ARG" and len(node.arguments) > 1
        for node in place.file.document.instructions
        if node.end_line < place.line
    )


def _ash(place: Place) -> bool:
    return place.found is not None and place.found[1].before.shell[0].endswith("/ash")


def _forgotten(place: Place) -> bool:
    """Whether a shell is named, and an ENV or ARG stands between that and the place."""
    above = [node for node in place.file.document.instructions if node.end_line < place.line]
    shells = [index for index, node in enumerate(above) if node.keyword == "SHELL"]
    since = above[shells[-1] :] if shells else above if _commented(place) else []
    return place.inner.keyword == "RUN" and any(n.keyword in ("ENV", "ARG") for n in since)


def _pip_variable(place: Place) -> bool:
    return place.found is not None and "PIP_NO_CACHE_DIR" in place.found[1].before.env


def _no_such_removal(place: Place) -> bool:
    return not _text(r"rm\b[^;&|]*/var/lib/apt/lists")(place) and _text(r"\brm\b")(place)


def _redirected(place: Place) -> bool:
    return _text(r"[^\s<>]<\d")(place)


def _broken(place: Place) -> bool:
    shell = shell_of(place.inner, place.found[1].before.shell if place.found else ("/bin/sh",))
    return shell is None or shell.script.broken or place.line in place.file.unreadable


def _above_broken(place: Place) -> bool:
    above = [n for n in place.file.document.instructions if n.end_line < place.line][-1:]
    return _broken(place) or any(n.start_line in place.file.unreadable for n in above)


def _first_line(place: Place) -> bool:
    """Whether the instruction begins on a line before its keyword."""
    return (
        re.match(r"\s*\\\s*\n", place.node.text) is not None or place.line > place.node.start_line
    )


HADOLINT: tuple[Kind, ...] = (
    Kind((), None, "exec form is one command, and a script behind sh -c alone", _json),
    Kind(
        ("DL3003", "DL3011", "DL3021", "DL3022", "DL3025", "DL3044", "DL4001", "DL4006"),
        OURS,
        "behind ONBUILD too",
        _trigger,
    ),
    Kind((), THEIRS, "SHELL has set no shell of Unix", _other_shell),
    Kind(
        ("DL3002", "DL3009", "DL3060"),
        THEIRS,
        "a stage that nobody runs and none is built on",
        _nobody_runs,
    ),
    Kind(
        ("DL3009",),
        THEIRS,
        "apt-get dist-clean removes the lists; a mount keeps them out; rm takes parts of them",
        _text(r"dist-?clean|--mount|rm\b[^;&|]*/var(?:/lib(?:/apt(?:/lists)?)?)?"),
    ),
    Kind(
        ("DL3009",),
        OURS,
        "hadolint takes any rm -r for the removal of the lists",
        _no_such_removal,
    ),
    Kind(
        ("DL3014",),
        THEIRS,
        "two levels of quiet imply yes, however they are written",
        _text(r"(?:-q=2|--quiet=2|-qq|-q\b.*-q\b|Assume-Yes)"),
    ),
    Kind(("DL3015",), THEIRS, "APT::Install-Recommends says it too", _text("Install-Recommends")),
    Kind(
        PINNING,
        THEIRS,
        "the value of an option is no package",
        _text(
            r"(?:^|\s)(?:-t|-c|-o|-X|--root|--virtual|-i|-f|--proxy|--timeout|--platform|--target"
            r"|--trusted-host|--index-url|--enablerepo|--repo|--source|--prefix|-tags|-ldflags\S*"
            r"|--version|-v|--config-file|--install-dir|--option|--constraint|--no-binary)\s"
        ),
    ),
    Kind(
        PINNING,
        THEIRS,
        "a path, an address or a file of the context has no version to pin",
        _text(r"\s(?:\.\.?|\S*/\S*|\S+\.(?:deb|rpm|gem|whl|tgz|gz|go)|\.\[\w+\])(?:\s|$|[;&|<>])"),
    ),
    Kind(
        ("DL3033", "DL3041"),
        THEIRS,
        "a version in a variable, or of a stream",
        _text(r"-\$|module install|:\S"),
    ),
    Kind(
        ("DL3013",),
        OURS,
        "hadolint lets all pass that stands beside a local path or constraint, or in pipx",
        _text(r"\s(?:\.|\.\.|-e|\./\S*|/\S*|-r|--requirement\S*|-c|git\+\S*)(?:\s|$)|pipx|@"),
    ),
    Kind(("DL3013",), THEIRS, "--requirement=FILE is -r FILE", _text("--requirement=")),
    Kind(("DL3016",), OURS, "npm i is npm install", _text(r"npm\s+(?:i|add)\b")),
    Kind(
        ("DL3028",),
        OURS,
        "hadolint looks no further than an option",
        _text(r"gem\s+install\s+(?:-|\S+ -)"),
    ),
    Kind(
        ("DL3062",),
        OURS,
        "hadolint takes a version in one go command for one in all",
        _text(
            r"go\s+(?:run|get|install)[^;&|]*@.*go\s+(?:run|get|install)|go\s[^@]*go\s|@\S*latest"
        ),
    ),
    Kind(
        CLEANING,
        OURS,
        "hadolint is content with any rm -rf, and looks at few ways to install",
        _text(r"\brm\b|group|local|reinstall|update|upgrade|module"),
    ),
    Kind(CLEANING, THEIRS, "a cache mount keeps it out", _text("--mount")),
    Kind(
        ("DL3042",),
        THEIRS,
        "pip takes beginnings of --no-cache-dir; a mount above its cache",
        _text(r"--no-ca\S*|--mount|PIP_NO_CACHE_DIR"),
    ),
    Kind(("DL3046",), THEIRS, "a variable is no number of six characters", _text(r"\$")),
    Kind(("DL3046",), OURS, "--uid is -u", _text(r"--uid")),
    Kind(("DL4006",), THEIRS, "set -o pipefail stands in the script", _text("pipefail")),
    Kind(
        ("DL3001",),
        OURS,
        "ifconfig stands in hadolint's message, and it does not look for it",
        _text("ifconfig"),
    ),
    Kind(
        ("DL3044", "DL3045"),
        OURS,
        "hadolint does not begin anew at FROM",
        lambda place: place.found is not None and place.found[0].index > 0,
    ),
    Kind(
        ("DL3059",),
        None,
        "of what time, exec or ! runs hadolint makes two commands; of exec form one script",
        _wrapped,
    ),
    Kind((), None, "a script that no shell can read: each goes on in its own way", _above_broken),
    Kind(
        (),
        None,
        "an instruction after an empty continuation begins with it in BuildKit",
        _first_line,
    ),
    Kind(
        ("DL3000", "DL3064"),
        OURS,
        "BuildKit reports it",
        lambda place: place.inner.keyword in ("WORKDIR", "ENV", "ARG"),
    ),
    Kind((), OURS, "a blank behind a backslash: part of the word to a shell", _text(r"\\ ")),
    Kind(("SC2239",), THEIRS, "of the comment shell=bash hadolint makes a line #!bash", _commented),
    Kind(("SC",), None, "of an ARG with several names hadolint knows the first", _several_names),
    Kind(("SC",), THEIRS, "ash is busybox's shell, not dash", _ash),
    Kind(("SC",), THEIRS, "a script for cmd", _text(r"%\w+%")),
    Kind(("SC",), None, "ENV above sets what is no name, and hadolint exports it", _no_name),
    Kind((), None, "hadolint forgets the shell where ENV or ARG follows", _forgotten),
    Kind(
        ("SC",),
        OURS,
        "hadolint shows the last finding of a RUN alone: none where a comment silences that one",
        lambda place: "hadolint ignore=" in _line_above(place),
    ),
    Kind(
        ("DL4006",),
        THEIRS,
        "the stage that FROM names has set pipefail",
        lambda place: place.found is not None and "pipefail" in place.found[1].before.shell,
    ),
    Kind(
        ("DL4001",),
        OURS,
        "behind ONBUILD too",
        lambda place: any(node.trigger for node in place.file.document.instructions),
    ),
    Kind(
        PINNING,
        None,
        "hadolint counts exec and command to the words of what they run",
        _text(r"\b(?:exec|command|time)\s"),
    ),
    Kind(("DL3042",), THEIRS, "PIP_NO_CACHE_DIR is set, by a variable", _pip_variable),
    Kind(("DL3066",), THEIRS, "the variable's value is a number", _text(r"\$")),
    Kind(("DL3006",), THEIRS, "a variable in quotes, or a stage by default", _text(r"\$")),
    Kind(("DL3021",), THEIRS, "a dot is a directory", _text(r"\s\.$")),
)
