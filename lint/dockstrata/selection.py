"""Which rules a run takes: codes, aliases, names, prefixes and groups, select against ignore."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dockstrata.errors import DockstrataError

# An exact name beats any prefix, however long.
EXACT = 1000
_PREFIX = re.compile(r"[a-z]{2,}\d*")
_NUMBERED = re.compile(r"[A-Z]{2,}\d+")
_BUILDKIT = re.compile(r"(?=.*[a-z])[A-Z][A-Za-z]+")


def is_buildkit_name(name: str) -> bool:
    """Whether a code or alias is in BuildKit's style: ``StageNameCasing``."""
    return _BUILDKIT.fullmatch(name) is not None


def specificity(selector: str, codes: Iterable[str]) -> int:
    """How closely a selector means a rule with these names; -1 where it does not.

    ``ALL`` is 0, the group ``BuildKit`` 1, a prefix (``DL``, ``DL3``) its length, a name
    :data:`EXACT`. Case does not matter.
    """
    wanted = selector.lower()
    if wanted == "all":
        return 0
    best = -1
    is_prefix = _PREFIX.fullmatch(wanted) is not None
    for code in codes:
        lowered = code.lower()
        if lowered == wanted:
            return EXACT
        if wanted == "buildkit":
            if is_buildkit_name(code):
                best = max(best, 1)
        elif is_prefix and lowered.startswith(wanted) and _NUMBERED.fullmatch(code):
            best = max(best, len(wanted))
    return best


@dataclass(frozen=True, slots=True)
class Selection:
    """Selectors with the layer they come from: 0 configuration, 1 command line.

    The closer selector wins; of two that are equally close the later layer's, and within one
    layer ``ignore``. ``select`` of ``None``: every rule that is on by default.
    """

    select: tuple[tuple[str, int], ...] | None = None
    ignore: tuple[tuple[str, int], ...] = ()
    extend: tuple[tuple[str, int], ...] = ()

    def wants(self, codes: Sequence[str], default: bool = True, always: bool = False) -> bool:
        """Whether a rule or finding with these names is reported.

        One that is off by default is reached by its name or ``ALL`` alone; ``always``: it is
        on whatever is selected, until somebody ignores it.
        """
        chosen = (0, 0) if always or (self.select is None and default) else (-1, -1)
        for selector, layer in (*(self.select or ()), *self.extend):
            rank = specificity(selector, codes)
            if rank >= 0 and (default or rank in (0, EXACT)):
                chosen = max(chosen, (rank, layer))
        if chosen[0] < 0:
            return False
        return all(
            (rank := specificity(selector, codes)) < 0 or (rank, layer) < chosen
            for selector, layer in self.ignore
        )

    def may_want(self, prefix: str, name: str) -> bool:
        """Whether any code of a family (``SC``) could be wanted."""
        if self.wants((f"{prefix}0", prefix, name)):
            return True
        chosen = (*(self.select or ()), *self.extend)
        return any(selector.lower().startswith(prefix.lower()) for selector, _ in chosen)


def split(values: Iterable[str]) -> tuple[str, ...]:
    """``("A,B", "C")`` → ``("A", "B", "C")``, blanks around removed."""
    return tuple(part for value in values for word in value.split(",") if (part := word.strip()))


def suggestion(word: str, known: Iterable[str]) -> str:
    """``"; did you mean X?"``, or nothing where no known word is near."""
    import difflib

    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[near[0]]}?" if near else ""


def is_peers_code(code: str) -> bool:
    """Whether hadolint or ShellCheck has a rule of this code, or codes of this prefix.

    They are never unknown, whether or not a rule for them is loaded.
    """
    match = re.fullmatch(r"(dl|sc)(\d*)", code.lower())
    if match is None:
        return False
    if match[1] == "sc" or len(match[2]) < 4:
        return True
    number = int(match[2])
    return number == 1001 or 3000 <= number <= 3067 or 4000 <= number <= 4006


def require_known(selectors: Iterable[str], rules: Sequence[Sequence[str]], where: str) -> None:
    """Raise :class:`DockstrataError` for a selector that means none of the rules.

    ``rules`` has the names of each rule; ``where`` says who named the selector.
    """
    for selector in selectors:
        if not is_peers_code(selector) and all(specificity(selector, codes) < 0 for codes in rules):
            names = ("ALL", "BuildKit", *(code for codes in rules for code in codes))
            near = suggestion(selector, names)
            raise DockstrataError(f"{where}: unknown rule '{selector}'{near}")
