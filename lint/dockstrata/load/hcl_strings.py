"""HCL's functions of strings, with paths, encodings, digests, addresses and patterns."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import posixpath
import re
import unicodedata
import urllib.parse
import uuid
from collections.abc import Callable, Iterator, Mapping

from dockstrata.load.hcl_dates import formatted, shifted
from dockstrata.load.hcl_format import format_list, format_text
from dockstrata.load.hcl_json import decoded, encoded
from dockstrata.load.hcl_number import Number
from dockstrata.load.hcl_types import List, RefusedError, Value, text, whole
from dockstrata.load.wiring import UnknownValueError

_LIMIT = 100_000  # characters that one call may make
_PATTERN, _SEARCHED = 1000, 2000  # characters of a regular expression, and of what it searches
_REPEATED = re.compile(r"\)(?:[*+]|\{\d*,)")
_GO_ONLY = re.compile(r"\\[pPCQE]|\(\?[a-zA-Z]*U|\\x\{|\(\?[a-z]+-|\(\?-")
_PYTHON_ONLY = re.compile(r"(?<!\\)\(\?(?:[=!#(]|<[=!]|P=)|(?<!\\)(?:\\\\)*\\[1-9]|[*+?}]\+")
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}
_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")
_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def pattern(source: str) -> re.Pattern[str]:
    """A Go regular expression, where Python has the same."""
    if len(source) > _PATTERN or _explodes(source):
        raise UnknownValueError("a regular expression")
    source = re.sub(r"\[:(\w+):\]", lambda it: _CLASSES.get(it[1], it[0]), source)
    if "[:" in source or _GO_ONLY.search(source):
        raise UnknownValueError("a regular expression")
    if _PYTHON_ONLY.search(source):
        raise RefusedError("not a regular expression")
    source = re.sub(r"(?<!\\)((?:\\\\)*)\\z", r"\1\\Z", source)
    source = re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", source)
    if not re.search(r"\(\?[is]*m", source):
        # Go's `$` is the very end, Python's the end of a last line, too.
        source = re.sub(r"(?<!\\)((?:\\\\)*)\$(?![^\[]*\])", r"\1\\Z", source)
    try:
        found = re.compile(source, re.ASCII)
    except (re.error, OverflowError):
        raise RefusedError("not a regular expression") from None
    if found.groupindex and len(found.groupindex) < found.groups:
        raise RefusedError("named and unnamed groups in one regular expression")
    return found


def _explodes(source: str) -> bool:
    """Whether Python may take for ever, as Go does not: repeated groups with choices or further
    repetition in them, where no fixed character begins a turn."""
    for match in _REPEATED.finditer(source):
        level, at = 0, match.start()
        while at >= 0:
            escaped = (len(source[:at]) - len(source[:at].rstrip("\\"))) % 2
            if not escaped:
                level += (source[at] == ")") - (source[at] == "(")
            if level == 0:
                break
            at -= 1
        body = re.sub(r"^\?(?:P?<\w+>|[a-z]*:)", "", source[at + 1 : match.start()])
        if re.search(r"[*+{|]", body) and not re.match(r"[\w@/:,;=-]|\\[^\w]", body):
            return True
    return False


def _captured(match: re.Match[str]) -> Value:
    if named := match.groupdict():
        return dict(named)
    return list(match.groups()) if match.re.groups else match[0]


def _regex(source: str, whole_text: str) -> Value:
    match = pattern(source).search(_searched(whole_text))
    if match is None:
        raise RefusedError("the pattern does not match")
    return _captured(match)


def _searched(whole_text: str) -> str:
    if len(whole_text) > _SEARCHED:
        raise UnknownValueError("a text that is too long")
    return whole_text


def _matches(source: str, whole_text: str) -> Iterator[re.Match[str]]:
    """Go finds nothing empty right behind a match, as Python does."""
    end = -1
    for match in pattern(source).finditer(_searched(whole_text)):
        if match.end() > match.start() or match.start() != end:
            yield match
        end = match.end()


def _regex_all(source: str, whole_text: str) -> Value:
    return List(_captured(match) for match in _matches(source, whole_text))


def _regex_replace(whole_text: str, source: str, new: str) -> Value:
    def put(match: re.Match[str]) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference[1] or reference[2]
            if name is None:
                return "$"
            key: str | int = int(name) if name.isdecimal() else name
            known = key in match.re.groupindex or (isinstance(key, int) and key <= match.re.groups)
            return (match[key] or "") if known else ""

        return _REFERENCE.sub(group, new)

    out, end = [], 0
    for match in _matches(source, whole_text):
        out += [whole_text[end : match.start()], put(match)]
        end = match.end()
    return _fits("".join([*out, whole_text[end:]]))


def _fits(value: str) -> str:
    if len(value) > _LIMIT:
        raise UnknownValueError("a text that is too long")
    return value


def clusters(whole_text: str) -> list[str]:
    """A text's characters as people see them, as far as accents and joiners go."""
    found: list[str] = []
    for char in whole_text:
        joins = unicodedata.combining(char) or char in "\u200d\ufe0f" or "🏻" <= char <= "🏿"
        if found and (joins or found[-1].endswith("\u200d") or found[-1] + char == "\r\n"):
            found[-1] += char
        else:
            found.append(char)
    return found


def _substr(whole_text: str, start: Number, size: Number) -> Value:
    chars, first, length = clusters(whole_text), whole(start), whole(size)
    first = max(len(chars) + first, 0) if first < 0 else first
    return "".join(chars[first:] if length < 0 else chars[first : first + length])


def _split(glue: str, whole_text: str) -> Value:
    return List(whole_text.split(glue) if glue else whole_text)


def _join(glue: str, *lists: list[Value]) -> Value:
    if not lists:
        raise RefusedError("at least one list is required")
    return _fits(glue.join(text(item) for one in lists for item in one))


def _title(whole_text: str) -> Value:
    found, before = [], " "
    for char in whole_text:
        starts = not (before.isalnum() or before == "_")
        upper = char.title() if starts else char
        found.append(upper if len(upper) == 1 else char)
        before = char
    return "".join(found)


def _upper(whole_text: str) -> Value:
    return "".join(up if len(up := char.upper()) == 1 else char for char in whole_text)


def _lower(whole_text: str) -> Value:
    return "".join(low if len(low := char.lower()) == 1 else char for char in whole_text)


def _basename(path: str) -> Value:
    return posixpath.basename(path.rstrip("/")) or ("/" if path else ".")


def _dirname(path: str) -> Value:
    folder = posixpath.normpath(path[: path.rfind("/") + 1] or ".")
    return "/" if folder == "//" else folder


def _digest(name: str) -> Callable[..., Value]:
    return lambda it: hashlib.new(name, it.encode(), usedforsecurity=False).hexdigest()


def _unbase(whole_text: str) -> Value:
    plain = re.sub(r"[\r\n]", "", whole_text)
    return base64.b64decode(plain, validate=True).decode()


def _indent(spaces: Number, whole_text: str) -> Value:
    return _fits(whole_text.replace("\n", "\n" + " " * min(whole(spaces), _LIMIT + 1)))


def _urlencoded(whole_text: str) -> Value:
    return urllib.parse.quote_plus(whole_text)


def _uuid(space: str, name: str) -> Value:
    spaces = {
        "dns": uuid.NAMESPACE_DNS,
        "url": uuid.NAMESPACE_URL,
        "oid": uuid.NAMESPACE_OID,
        "x500": uuid.NAMESPACE_X500,
    }
    return str(uuid.uuid5(spaces.get(space) or uuid.UUID(space), name))


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(prefix: str) -> _Network:
    if "/" not in prefix:
        raise RefusedError(f"'{prefix}' is no network")
    return ipaddress.ip_network(prefix, strict=False)


def _host(prefix: str, at: Number) -> Value:
    network = _network(prefix)
    host = whole(at)
    if not -network.num_addresses <= host < network.num_addresses:
        raise RefusedError("the network has no such host")
    return str(network[host])


def _subnet(network: _Network, bits: int, at: int) -> str:
    length = network.prefixlen + bits
    if bits < 0 or length > network.max_prefixlen or not 0 <= at < 1 << bits:
        raise RefusedError("the network has no such part")
    start = int(network.network_address) + (at << (network.max_prefixlen - length))
    return f"{type(network.network_address)(start)}/{length}"


def _subnets(prefix: str, *bits: Number) -> Value:
    """Networks of these sizes, one behind the other, each at a multiple of its own size."""
    network, found = _network(prefix), List()
    at = int(network.network_address)
    for more in map(whole, bits):
        length = network.prefixlen + more
        if more < 1 or length > network.max_prefixlen:
            raise RefusedError("the network has no such part")
        size = 1 << (network.max_prefixlen - length)
        at = (at + size - 1) // size * size
        if at + size > int(network.broadcast_address) + 1:
            raise RefusedError("the network has not so many parts")
        found.append(f"{type(network.network_address)(at)}/{length}")
        at += size
    return found


def _netmask(prefix: str) -> Value:
    return str(_network(prefix).netmask)


Entry = tuple[str, Callable[..., Value], str | None]
FUNCTIONS: Mapping[str, Entry] = {
    "base64decode": ("text", _unbase, None),
    "base64encode": ("text", lambda it: base64.b64encode(it.encode()).decode(), None),
    "basename": ("text", _basename, None),
    "chomp": ("text", lambda it: it.rstrip("\r\n"), None),
    "cidrhost": ("text number", _host, None),
    "cidrnetmask": ("text", _netmask, None),
    "cidrsubnet": (
        "text number number",
        lambda prefix, bits, at: _subnet(_network(prefix), whole(bits), whole(at)),
        None,
    ),
    "cidrsubnets": ("text", _subnets, "number"),
    "dirname": ("text", _dirname, None),
    "format": ("text", format_text, "null"),
    "formatdate": ("text text", formatted, None),
    "formatlist": ("text", format_list, "null"),
    "indent": ("number text", _indent, None),
    "join": ("text", _join, "texts"),
    "jsondecode": ("text", decoded, None),
    "jsonencode": ("null", encoded, None),
    "lower": ("text", _lower, None),
    "md5": ("text", _digest("md5"), None),
    "regex": ("text text", _regex, None),
    "regex_replace": ("text text text", _regex_replace, None),
    "regexall": ("text text", _regex_all, None),
    "replace": ("text text text", lambda it, old, new: _fits(it.replace(old, new)), None),
    "reverse": ("text", lambda it: "".join(reversed(clusters(it))), None),
    "sanitize": ("text", lambda it: re.sub(r"[^a-zA-Z0-9_-]", "_", it), None),
    "sha1": ("text", _digest("sha1"), None),
    "sha256": ("text", _digest("sha256"), None),
    "sha512": ("text", _digest("sha512"), None),
    "split": ("text text", _split, None),
    "strlen": ("text", lambda it: len(clusters(it)), None),
    "substr": ("text number number", _substr, None),
    "timeadd": ("text text", shifted, None),
    "title": ("text", _title, None),
    "trim": ("text text", lambda it, characters: it.strip(characters), None),
    "trimprefix": ("text text", lambda it, prefix: it.removeprefix(prefix), None),
    "trimspace": ("text", lambda it: it.strip(_SPACES), None),
    "trimsuffix": ("text text", lambda it, suffix: it.removesuffix(suffix), None),
    "upper": ("text", _upper, None),
    "urlencode": ("text", _urlencoded, None),
    "uuidv5": ("text text", _uuid, None),
}
