"""HCL's numbers: whole ones as ``int``, others as ``Fraction``, rounded as cty does it.

Source: go-cty keeps numbers as binary floating point with a mantissa of 512 bits, and writes the
shortest decimal number that is read as the same one.
"""

from __future__ import annotations

import re
from fractions import Fraction

from dockstrata.load.wiring import UnknownValueError

Number = int | Fraction

_BITS = 512
_DIGITS = 156  # enough to tell any two numbers of so many bits apart
_EXPONENT = 1000
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?")


def parsed(text: str) -> Number:
    """The number that a text spells. Raises ``ValueError``."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(text)
    if len(text) > _EXPONENT or abs(int(match[1] or 0)) > _EXPONENT:
        raise UnknownValueError("a number that is too long")
    return rounded(Fraction(text))


def rounded(value: Number) -> Number:
    """The nearest number that cty can keep."""
    value = Fraction(value)
    if value.denominator == 1 and value.numerator.bit_length() <= _BITS:
        return value.numerator
    size = abs(value.numerator).bit_length() - value.denominator.bit_length()
    if abs(size) > 4 * _EXPONENT:
        raise UnknownValueError("a number that is too long")
    shift = Fraction(2) ** (_BITS - size)
    scaled = value * shift
    excess = abs(int(scaled)).bit_length() - _BITS
    if excess:
        shift /= Fraction(2) ** excess
        scaled = value * shift
    found = round(scaled) / shift
    return found.numerator if found.denominator == 1 else found


def shown(value: Number) -> str:
    """The shortest decimal number that is read as this one, without an exponent."""
    if isinstance(value, int) and abs(value).bit_length() <= _BITS:
        return str(value)
    least, most = 1, _DIGITS
    while least < most:
        middle = (least + most) // 2
        if rounded(_near(value, middle)) == value:
            most = middle
        else:
            least = middle + 1
    near = Fraction(_near(value, least))
    places = 0
    while near.denominator != 1:
        near, places = near * 10, places + 1
    digits = str(abs(near.numerator)).rjust(places + 1, "0")
    sign = "-" if near < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else sign + digits


def _near(value: Number, digits: int) -> Number:
    """The nearest number of so many decimal digits."""
    value = Fraction(value)
    size = len(str(abs(value.numerator))) - len(str(value.denominator))
    unit = Fraction(10) ** (size - digits)
    if abs(round(value / unit)) >= 10**digits:
        unit *= 10
    return Fraction(round(value / unit)) * unit
