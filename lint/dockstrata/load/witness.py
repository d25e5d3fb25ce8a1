"""What a computation read of the file system: so that a later run can see that it would be told
the same.

Functions that are :func:`witnessed` ask the file system one question each. Within :func:`witness`
what they are asked and a digest of what they answer is kept; :func:`still` asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from hashlib import blake2b
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Question = tuple[str, tuple[Any, ...]]
"""The function's name and its arguments: plain data, as JSON has it, lists being tuples."""

_functions: dict[str, Callable[..., object]] = {}
_listening: ContextVar[dict[Question, str] | None] = ContextVar("listening", default=None)


def witnessed(function: Callable[P, T]) -> Callable[P, T]:
    """Has what a function is asked noted, and what it answers or raises; what it asks others in
    turn is in its answer.

    Its arguments are positional, plain and hashable; equal answers have one ``repr``, or are sets.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    _functions[name] = function

    @wraps(function)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        assert not kwargs, f"{name} is asked by position"
        noted = _listening.get()
        if noted is None:
            return function(*args, **kwargs)
        listening = _listening.set(None)
        try:
            answer = function(*args, **kwargs)
        except Exception as error:
            noted[name, args] = _digest(vars(error), error)
            raise
        finally:
            _listening.reset(listening)
        if (name, args) not in noted:
            noted[name, args] = _digest(answer)
        return answer

    return ask


@contextmanager
def witness() -> Iterator[dict[Question, str]]:
    """Yields the questions asked within, each with a digest of its answer."""
    noted: dict[Question, str] = {}
    before = _listening.set(noted)
    try:
        yield noted
    finally:
        _listening.reset(before)


def still(questions: Sequence[tuple[str, Sequence[Any], str]]) -> bool:
    """Whether each question, asked again, has the answer with that digest."""
    return all(_answer(name, args) == digest for name, args, digest in questions)


def _answer(name: str, args: Sequence[Any]) -> str | None:
    function = _functions.get(name)
    if function is None:
        return None
    try:
        return _digest(function(*map(_hashable, args)))
    except Exception as error:
        return _digest(vars(error), error)


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _digest(*answer: object) -> str:
    plain = [sorted(part) if isinstance(part, frozenset) else part for part in answer]
    text = repr(plain).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).hexdigest()
