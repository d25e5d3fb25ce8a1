"""Variables in compose files: ``$NAME``, ``${NAME}`` and its forms with defaults, and ``.env``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dockstrata.load.wiring import UnknownValueError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_ENV_LINE = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*(.*)")
_DEPTH = 20


def interpolate(text: str, env: Mapping[str, str], depth: int = 0) -> str:
    """The text with its variables replaced (compose specification, "Interpolation").

    Raises :class:`UnknownValueError` for a variable that has neither value nor default: it comes
    from the builder's environment.
    """
    if "$" not in text:
        return text
    out: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) >= 0:
        out.append(text[position:dollar])
        position = dollar + 1
        if text.startswith("$", position):
            out.append("$")
            position += 1
        elif text.startswith("{", position):
            end = _closing(text, position)
            out.append(_braced(text[position + 1 : end], env, depth))
            position = end + 1
        elif match := _NAME.match(text, position):
            out.append(_value(match[0], env))
            position = match.end()
        else:
            out.append("$")
    return "".join([*out, text[position:]])


def variables_in(texts: Iterable[str]) -> tuple[str, ...]:
    """The variables that texts name, those in defaults too, each once."""
    found = (name for text in texts for name in _VARIABLE.findall(text.replace("$$", "")))
    return tuple(dict.fromkeys(found))


def _closing(text: str, position: int) -> int:
    level = 0
    for index in range(position, len(text)):
        if text.startswith("${", index - 1) or index == position:
            level += 1
        elif text[index] == "}":
            level -= 1
            if level == 0:
                return index
    raise UnknownValueError(text)


def _braced(body: str, env: Mapping[str, str], depth: int) -> str:
    match = _NAME.match(body)
    if match is None or depth > _DEPTH:
        raise UnknownValueError("${" + body + "}")
    name, rest = match[0], body[match.end() :]
    if not rest:
        return _value(name, env)
    empty_too = rest[0] == ":"
    operator, word = rest[empty_too : empty_too + 1], rest[empty_too + 1 :]
    value = env.get(name)
    usable = bool(value) if empty_too else value is not None
    if operator == "-":
        return (value or "") if usable else interpolate(word, env, depth + 1)
    if operator == "+" and value is not None:
        return interpolate(word, env, depth + 1) if usable else ""
    if operator == "?" and usable:
        return value or ""
    raise UnknownValueError(name)


def _value(name: str, env: Mapping[str, str]) -> str:
    if name not in env:
        raise UnknownValueError(name)
    return env[name]


def read_env(text: str) -> dict[str, str]:
    """The variables of an ``.env`` file: quotes removed, comments cut, earlier names replaced."""
    env: dict[str, str] = {}
    for line in text.splitlines():
        match = _ENV_LINE.fullmatch(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        name, raw = match[1], match[2].strip()
        if raw[:1] in ("'", '"') and (end := raw.find(raw[0], 1)) > 0:
            value = raw[1:end]
            if raw[0] == "'":
                env[name] = value
                continue
        else:
            value = re.sub(r"(?:^|[ \t]+)#.*", "", raw)
        try:
            env[name] = interpolate(value, env)
        except UnknownValueError:
            env.pop(name, None)
    return env
