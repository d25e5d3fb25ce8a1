"""What BuildKit refuses in one instruction, and in which words."""

from __future__ import annotations

import pytest

from dockstrata.source import Source
from dockstrata.syntax.parse import parse

NO_DESTINATION = (
    "requires at least two arguments, but only one was provided."
    " Destination could not be determined"
)
SYMBOLS = "name can't start with a number or contain symbols"

REFUSED = [
    ("frm a", "unknown instruction: frm (did you mean from?)"),
    ("CPOY a b", "unknown instruction: CPOY (did you mean COPY?)"),
    ("foo a", "unknown instruction: foo (did you mean from?)"),
    ("nothing", "unknown instruction: nothing"),
    ("FROM", "FROM requires either one or three arguments"),
    ("FROM a b", "FROM requires either one or three arguments"),
    ("FROM a AS 1b", f'invalid name for build stage: "1b", {SYMBOLS}'),
    ('FROM a AS ""', f'invalid name for build stage: "\\"\\"", {SYMBOLS}'),
    ("FROM --platfrm=x a", "unknown flag: --platfrm (did you mean platform?)"),
    ("COPY a", f"COPY {NO_DESTINATION}"),
    ('ADD ["a"]', f"ADD {NO_DESTINATION}"),
    ("COPY a <<E\nx\nE", "COPY cannot accept a heredoc as a destination"),
    ("COPY --from a b", "missing a value on flag: --from"),
    ("COPY --link= a b", "missing a value on flag: --link"),
    ("COPY --link=1 a b", "expecting boolean value for flag --link, not: 1"),
    ("COPY --chown=a --chown=b a b", "duplicate flag specified: --chown"),
    ("ADD --from=a b c", "unknown flag: --from"),
    ("RUN --network=x a", 'invalid network mode "x"'),
    ("RUN --security=x --network=y a", 'invalid network mode "y"'),
    ("RUN --security=x a", 'security "x" is not valid'),
    ("RUN --mount= a", "failed to parse csv mounts: EOF"),
    (
        'RUN --mount=a\\"b c',
        'failed to parse csv mounts: parse error on line 1, column 2: bare " in non-quoted-field',
    ),
    (
        "RUN --mount=type=bind,from=$a b",
        "'from' doesn't support variable expansion, define alias stage instead",
    ),
    ("RUN --device=a,b=c d", "unexpected key 'b' in 'b=c'"),
    ("ENV", "ENV requires at least one argument"),
    ("ENV =a", "ENV names can not be blank"),
    ("LABEL a=b =c", "LABEL names can not be blank"),
    ("ARG a =b", "ARG names can not be blank"),
    ("SHELL a", "SHELL requires the arguments to be in JSON form"),
    ("SHELL []", "SHELL requires at least one argument"),
    ("VOLUME [' ']", None),
    ('VOLUME [" "]', "VOLUME specified can not be an empty string"),
    ("EXPOSE", "EXPOSE requires at least one argument"),
    ("WORKDIR", "WORKDIR requires exactly one argument"),
    ("USER --a b", "unknown flag: --a"),
    ("ONBUILD", "ONBUILD requires at least one argument"),
    ("ONBUILD ONBUILD RUN a", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
    ("ONBUILD from a", "FROM isn't allowed as an ONBUILD trigger"),
    ("HEALTHCHECK", "HEALTHCHECK requires at least one argument"),
    ("HEALTHCHECK NONE a", "HEALTHCHECK NONE takes no arguments"),
    ("HEALTHCHECK wat", 'Unknown type "WAT" in HEALTHCHECK (try CMD)'),
    ("HEALTHCHECK CMD []", "Missing command after HEALTHCHECK CMD"),
    ("HEALTHCHECK --interval=1 CMD a", 'time: missing unit in duration "1"'),
    ("HEALTHCHECK --interval=1x CMD a", 'time: unknown unit "x" in duration "1x"'),
    ("HEALTHCHECK --timeout=- CMD a", 'time: invalid duration "-"'),
    ("HEALTHCHECK --timeout=999us CMD a", 'Interval "timeout" cannot be less than 1ms'),
    ("HEALTHCHECK --timeout=9999999999h CMD a", 'time: invalid duration "9999999999h"'),
    ("HEALTHCHECK --retries=-1 CMD a", "--retries cannot be negative (-1)"),
    ("HEALTHCHECK --retries=1_0 CMD a", 'strconv.ParseInt: parsing "1_0": invalid syntax'),
    (
        "HEALTHCHECK --retries=2147483648 CMD a",
        'strconv.ParseInt: parsing "2147483648": value out of range',
    ),
    # Accepted.
    ("COPY --link --parents --exclude=a --exclude=b c d", None),
    ("ADD --link=TRUE --keep-git-dir=false --checksum=x a b", None),
    ("RUN --mount=type=cache --mount=type=wat --network=host --security=insecure a", None),
    ("RUN --device=a=b --device=a,required b", None),
    ("HEALTHCHECK --interval=1h2.5m --timeout=0 --retries=+3 CMD a", None),
    ("HEALTHCHECK --wat none", None),
    ("ARG --a b", None),
    ("STOPSIGNAL --a b", None),
    ("FROM --platform= a AS b.c-d_1", None),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_refusal(text: str, message: str | None) -> None:
    faults = parse(Source("Dockerfile", f"FROM a\n\n{text}\n")).faults
    assert [(fault.message, fault.line) for fault in faults] == (
        [] if message is None else [(message, 3)]
    )
