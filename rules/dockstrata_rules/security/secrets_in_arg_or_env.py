"""ARG or ENV has a name that promises a secret.

Both are written into the image: anyone who can pull it reads the value. Use a secret mount, which
is there for one RUN and nowhere else.

Bad:

    FROM debian:12.5
    ENV API_TOKEN=abc123

Good:

    FROM debian:12.5
    RUN --mount=type=secret,id=api_token make login

Source: BuildKit SecretsUsedInArgOrEnv, which looks at the words of a name; hadolint DL3064, which
looks for some words anywhere in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule

_WORD = "apikey|auth|credentials?|key|password|pword|passwd|secret|token"
_SECRET = re.compile(rf"(?:_|^)(?:{_WORD})(?:_|$)", re.IGNORECASE)
# A public key, where a secret is, and which version of it: none of them is one.
_NO_SECRET = re.compile(r"(?:_|^)(?:public|file|version)(?:_|$)", re.IGNORECASE)
# GOPRIVATE says which modules are fetched without a proxy.
_ANYWHERE = re.compile(r"password|username|token|secret|api_key|(?<!go)private", re.IGNORECASE)


@rule(
    code="DL3064",
    name="secrets-used-in-arg-or-env",
    severity=Severity.WARNING,
    aliases=("SecretsUsedInArgOrEnv",),
)
def secrets_used_in_arg_or_env(context: Context) -> Iterator[Finding]:
    before_from = set(map(id, context.evaluation.globals))
    for node in context.instructions("ARG", "ENV"):
        if node.keyword == "ENV":
            names = [name for name, _ in node.pairs()]
        else:
            names = [word.partition("=")[0] for word in node.arguments]
        for name in names:
            # What stands before FROM is in no image; BuildKit looks at stages alone.
            in_stage = id(node) not in before_from
            both = in_stage and _SECRET.search(name) and not _NO_SECRET.search(name)
            if both or _ANYWHERE.search(name):
                yield context.finding(
                    node,
                    "Do not use ARG or ENV instructions for sensitive data"
                    f' ({node.keyword} "{name}")',
                    aliases=None if both else (),
                )
