"""HCL's ``format`` and ``formatlist`` (go-cty's documentation of ``Format``)."""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from fractions import Fraction

from dockstrata.load.hcl_json import encoded
from dockstrata.load.hcl_number import shown
from dockstrata.load.hcl_types import (
    List,
    Missing,
    RefusedError,
    Value,
    boolean,
    number,
    text,
    whole,
)
from dockstrata.load.wiring import UnknownValueError

_VERB = re.compile(
    r"%(?P<flags>[-+0 #]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?"
    r"(?:\[(?P<place>\d+)\])?(?P<verb>[a-zA-Z%])?"
)
_WIDTH = 1000
_DIGITS = 200


def format_text(form: str, *values: Value) -> str:
    used, following = 0, 0
    out: list[str] = []
    position = 0
    for match in _VERB.finditer(form):
        out.append(form[position : match.start()])
        position = match.end()
        verb = match["verb"]
        if verb is None:
            raise RefusedError(f"'{form}' is no format")
        if verb == "%":
            out.append("%")
            continue
        place = int(match["place"]) if match["place"] else following + 1
        following, used = place, max(used, place)
        if not 1 <= place <= len(values):
            raise RefusedError(f"'{form}' needs more values")
        out.append(_shown(match, values[place - 1]))
    if used < len(values):
        raise RefusedError(f"'{form}' needs less values")
    return "".join([*out, form[position:]])


def format_list(form: str, *values: Value) -> Value:
    lists = [value for value in values if isinstance(value, list)]
    if len({len(one) for one in lists}) > 1:
        raise RefusedError("lists of one length are required")
    length = len(lists[0]) if lists else 1
    rows = [value if isinstance(value, list) else [value] * length for value in values]
    if not rows:
        return List([format_text(form)])
    return List(format_text(form, *row) for row in zip(*rows, strict=True))


def _shown(match: re.Match[str], value: Value) -> str:
    if isinstance(value, Missing):
        raise UnknownValueError("a part of a value")
    verb, flags = match["verb"], match["flags"]
    width = int(match["width"] or 0)
    precision = int(match["precision"] or 0) if match["precision"] is not None else None
    if width > _WIDTH or (precision or 0) > _WIDTH:
        raise UnknownValueError("a width")
    if verb == "v":
        return _any(value, flags, width, precision)
    if value is None:
        raise RefusedError(f"%{verb} of null")
    if verb == "t":
        return text(boolean(value))
    if verb in "sq":
        shown = text(value)
        if precision is not None:
            shown = shown[:precision]
        return _wide(encoded(shown) if verb == "q" else shown, flags, width)
    if verb in "bdoxX":
        return _whole(whole(value), verb, flags, width, precision)
    if verb in "eEfFgG":
        return _float(number(value), verb, flags, width, precision)
    raise RefusedError(f"%{verb} is no format")


def _any(value: Value, flags: str, width: int, precision: int | None) -> str:
    if "#" in flags or value is None or isinstance(value, (list, dict)):
        return _wide(encoded(value), flags, width)
    if isinstance(value, bool):
        return text(value)
    if isinstance(value, (int, Fraction)):
        return _float(value, "g", flags.replace("+", ""), width, precision)
    shown = text(value)
    return _wide(shown if precision is None else shown[:precision], flags, width)


def _wide(shown: str, flags: str, width: int) -> str:
    if "-" in flags:
        return shown.ljust(width)
    return shown.rjust(width, "0" if "0" in flags else " ")


def _signed(digits: str, negative: bool, flags: str, width: int) -> str:
    sign = "-" if negative else "+" if "+" in flags else " " if " " in flags else ""
    if "0" in flags and "-" not in flags:
        return sign + digits.rjust(width - len(sign), "0")
    return _wide(sign + digits, flags.replace("0", ""), width)


def _whole(value: int, verb: str, flags: str, width: int, precision: int | None) -> str:
    digits = f"{abs(value):{verb}}".rjust(precision or 0, "0")
    prefix = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(verb, "") if "#" in flags else ""
    if precision is not None:
        flags = flags.replace("0", "")
    return _signed(prefix + digits, value < 0, flags, width)


def _float(value: int | Fraction, verb: str, flags: str, width: int, precision: int | None) -> str:
    size: int | Fraction = -value if value < 0 else value
    if verb in "gG" and precision is None:
        digits = _shortest(size, verb)
    elif verb in "gG":
        digits = f"{float(size):.{precision}{verb}}"
    else:
        with localcontext() as context:
            context.prec = _DIGITS
            exact = Fraction(size)
            quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
            # A zero of Decimal keeps an exponent of its own.
            shown_of = quotient if quotient else 0.0
            digits = f"{shown_of:.{6 if precision is None else precision}{verb}}"
        digits = re.sub(r"([eE][-+])(\d)$", r"\g<1>0\2", digits)
    return _signed(digits, value < 0, flags, width)


def _shortest(value: int | Fraction, verb: str) -> str:
    """``%g`` without a precision: as many digits as the number has, with an exponent where it is
    less than -4 or at least 6."""
    plain = shown(value)
    digits = plain.replace(".", "").strip("0")
    if not digits:
        return "0"
    before, _, behind = plain.partition(".")
    exponent = len(before) - 1
    if before == "0":
        exponent = -1 - (len(behind) - len(behind.lstrip("0")))
    if -4 <= exponent < 6:
        return plain
    mantissa = f"{digits[0]}.{digits[1:]}" if digits[1:] else digits
    return f"{mantissa}{'e' if verb == 'g' else 'E'}{exponent:+03d}"
