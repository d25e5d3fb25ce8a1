"""What a COPY or an ADD takes from a build context, as a digest."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dockstrata.load.hashing import file_digest, mode_word
from dockstrata.load.ignorefile import IgnoreFile, State, clean, path_pattern
from dockstrata.load.witness import witnessed

_MAGIC = re.compile(r"[*?\[\\]")
# `--exclude` of which builders make the same.
_PLAIN = re.compile(r"(?!.*\.\.)!?(?:\./)?\.?[\w*?][\w.*?/ -]*", re.ASCII)
_LINKS = 40  # as many as Linux follows on one path


class ContextError(Exception):
    """What a COPY takes cannot be told.

    ``reason`` is one of ``missing-context``, ``missing-source``, ``unreadable-source``,
    ``bad-pattern``, ``bad-ignore-file``.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str  # relative to the context, posix; "" is its root
    status: os.stat_result
    state: State
    link: str = ""  # the name of the link that led here

    @property
    def name(self) -> str:
        return self.link or self.path.rpartition("/")[2]

    @property
    def is_dir(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)


class BuildContext:
    """One directory with its ignore rules.

    Listings and digests are kept for the life of the object, so that COPY steps share them.
    """

    def __init__(self, directory: str, ignore: IgnoreFile | None) -> None:
        self.directory = directory
        self.ignore = ignore or IgnoreFile("")
        self._listings: dict[str, tuple[_Entry, ...]] = {}
        self._trees: dict[str, tuple[str, bool]] = {}
        self._digests: dict[tuple[str, tuple[str, ...], bool], str] = {}

    def digest(self, source: str, excludes: Sequence[str] = (), *, parents: bool = False) -> str:
        """SHA-256 in hex of all that ``COPY source`` takes: names, contents, modes, link targets.

        ``excludes`` are the patterns of ``--exclude``, relative to the source; ``parents`` is the
        flag ``--parents``. A wildcard that matches nothing takes nothing, as in BuildKit, and is
        no error. A directory's own name does not count (COPY takes what is in it); a file's does.

        What is left out counts all the same where builders disagree about it: with ``--parents``,
        and with patterns of more than names and wildcards (``/a``, ``#a``, ``[ab]``).

        Raises :class:`ContextError`.
        """
        key = (source, tuple(excludes), parents)
        if key not in self._digests:
            self._digests[key] = self._digest(*key)
        return self._digests[key]

    def _digest(self, source: str, excludes: tuple[str, ...], parents: bool) -> str:
        self._check()
        base, tail = "", source
        if parents and "/./" in source and not _MAGIC.search(source.partition("/./")[0]):
            pivot, _, tail = source.partition("/./")  # names begin after the pivot point
            base = clean("/" + pivot)[1:]
        exclude = IgnoreFile.of(excludes) if excludes else None
        if exclude is not None and exclude.problems:
            raise ContextError("bad-pattern", f"--exclude: {exclude.problems[0][1]}")
        if parents or not all(map(_PLAIN.fullmatch, excludes)):
            exclude = None
        hasher = hashlib.sha256()
        if parents and "/./" in source:
            pivot = source.partition("/./")[0]
            if _MAGIC.search(pivot) or self._follow(base, pivot).path != base:
                # Through wildcards and links builders take more than names tell: all that is there.
                parents, source = False, pivot
        for entry in self._parents(base, tail) if parents else self._matches(source):
            if parents:
                relative = entry.path[len(base) :].lstrip("/")
                if entry.is_dir:  # what is in it comes one by one
                    _feed(hasher, "dir", relative, mode_word(entry.status.st_mode))
                else:
                    _feed(hasher, *self._leaf(entry, relative))
            elif entry.is_dir:
                if exclude is None:
                    content, _ = self._tree(entry)
                else:
                    content, _ = self._filtered(entry, exclude, exclude.start, "")
                # The context's own permissions are not sent to the builder.
                mode = mode_word(entry.status.st_mode) if entry.path else ""
                _feed(hasher, "dir", mode, content)
            else:  # --exclude never leaves out what the source itself names or matches
                _feed(hasher, *self._leaf(entry, entry.name))
        return hasher.hexdigest()

    def _check(self) -> None:
        if not os.path.isdir(self.directory):
            message = f"the build context '{self.directory}' is no directory here"
            raise ContextError("missing-context", message)
        if self.ignore.problems:
            line, message = self.ignore.problems[0]
            raise ContextError("bad-ignore-file", f"{self.ignore.path}:{line}: {message}")

    # What a source names.

    def _matches(self, source: str) -> Iterator[_Entry]:
        anchored = clean("/" + source)[1:]
        literal, pattern = _split_wildcards(anchored)
        start = self._follow(literal, source)
        if not pattern:
            if self._dropped(start):
                message = f"'{source}' is left out of the build context by {self.ignore.path}"
                raise ContextError("missing-source", message)
            yield start
            return
        try:
            regexes = [path_pattern(element) for element in pattern.split("/")]
        except ValueError:
            raise ContextError("bad-pattern", f"'{source}' is a malformed pattern") from None
        yield from self._glob(start, regexes)

    def _glob(self, start: _Entry, regexes: list[re.Pattern[str]]) -> Iterator[_Entry]:
        if not start.is_dir:
            return
        for entry in self._list(start):
            if not regexes[0].fullmatch(entry.name):
                continue
            if len(regexes) > 1:
                yield from self._glob(entry, regexes[1:])
                continue
            if stat.S_ISLNK(entry.status.st_mode):
                entry = replace(self._follow(entry.path, entry.path), link=entry.name)
            if not self._dropped(entry):
                yield entry

    def _parents(self, base: str, tail: str) -> Iterator[_Entry]:
        """``COPY --parents``: all that the pattern matches, what is below a match, and the folders
        above one."""
        pattern = clean("/" + tail)[1:] or "**"
        include = IgnoreFile.of([pattern])
        if include.problems:
            raise ContextError("bad-pattern", f"'{tail}': {include.problems[0][1]}")
        found: dict[str, _Entry] = {}
        stack: list[tuple[_Entry, tuple[_Entry, ...]]] = [(self._follow(base, base or "."), ())]
        while stack:
            directory, above = stack.pop()
            for entry in self._list(directory):
                dropped = self._dropped(entry)
                if entry.is_dir and not dropped:
                    stack.append((entry, (*above, entry)))
                relative = entry.path[len(base) :].lstrip("/")
                if include.ignores(relative) and not dropped:
                    found.update((it.path, it) for it in (*above, entry))
        yield from (entry for _, entry in sorted(found.items()))
        if not found and not _MAGIC.search(pattern):
            raise ContextError("missing-source", f"'{tail}' is not in the build context")

    def _follow(self, path: str, source: str) -> _Entry:
        """The entry of a path, links followed inside the context: its root is their ``/``."""
        done: list[str] = []
        todo = [part for part in path.split("/") if part]
        links = 0
        status = os.stat(self.directory)
        while todo:
            part = todo.pop(0)
            if part == "..":
                done = done[:-1]
                continue
            full = os.path.join(self.directory, *done, part)
            try:
                status = os.lstat(full)
                target = os.readlink(full) if stat.S_ISLNK(status.st_mode) else None
            except OSError as error:
                raise _source_error(error, source, self.directory) from None
            if target is None:
                done.append(part)
                continue
            links += 1
            if links > _LINKS:
                raise ContextError("missing-source", f"'{source}' is a loop of symbolic links")
            if target.startswith("/"):
                done = []
            todo[:0] = [part for part in target.split("/") if part not in ("", ".")]
        state = self.ignore.start
        for depth in range(1, len(done) + 1):
            state = self.ignore.enter(state, "/".join(done[:depth]))
        if done:
            status = os.lstat(os.path.join(self.directory, *done))
        return _Entry("/".join(done), status, state)

    def _dropped(self, entry: _Entry) -> bool:
        """Whether the ignore file leaves out an entry, and all below it where it is a directory."""
        if not self.ignore.decides(entry.state):
            return False
        if not entry.is_dir or not self.ignore.reaches_into(entry.path):
            return True
        return not self._tree(entry)[1]

    # What is in a directory.

    def _list(self, directory: _Entry) -> tuple[_Entry, ...]:
        if directory.path not in self._listings:
            prefix = directory.path + "/" if directory.path else ""
            entries = []
            try:
                with os.scandir(os.path.join(self.directory, directory.path)) as scan:
                    for item in scan:
                        path = prefix + item.name
                        state = self.ignore.enter(directory.state, path)
                        entries.append(_Entry(path, item.stat(follow_symlinks=False), state))
            except OSError as error:
                raise _source_error(error, directory.path or ".", self.directory) from None
            entries.sort(key=lambda entry: entry.path)
            self._listings[directory.path] = tuple(entries)
        return self._listings[directory.path]

    def _tree(self, directory: _Entry) -> tuple[str, bool]:
        """Digest of what is below a directory, and whether there is anything."""
        if directory.path not in self._trees:
            self._trees[directory.path] = self._filtered(directory, None, (), "")
        return self._trees[directory.path]

    def _filtered(
        self, directory: _Entry, exclude: IgnoreFile | None, state: State, prefix: str
    ) -> tuple[str, bool]:
        hasher = hashlib.sha256()
        anything = False
        for entry in self._list(directory):
            path = prefix + entry.name
            ignored = self.ignore.decides(entry.state)
            within: State = ()
            left_out = False
            if exclude is not None:
                within = exclude.enter(state, path)
                left_out = exclude.decides(within)
            if not entry.is_dir:
                if not ignored and not left_out and not stat.S_ISSOCK(entry.status.st_mode):
                    anything = True
                    _feed(hasher, *self._leaf(entry, entry.name))
                continue
            if ignored and not self.ignore.reaches_into(entry.path):
                continue
            if left_out and exclude is not None and not exclude.reaches_into(path):
                continue
            if exclude is None:
                content, some = self._tree(entry)
            else:
                content, some = self._filtered(entry, exclude, within, path + "/")
            # An empty directory is copied, too, and one that --exclude has emptied.
            sent = not ignored or self._tree(entry)[1]
            if some or (sent and not left_out):
                anything = True
                _feed(hasher, "dir", entry.name, mode_word(entry.status.st_mode), content)
        return hasher.hexdigest(), anything

    def _leaf(self, entry: _Entry, name: str) -> Iterable[str]:
        full = os.path.join(self.directory, entry.path)
        mode = entry.status.st_mode
        try:
            if stat.S_ISLNK(mode):
                return "link", name, os.readlink(full)
            if stat.S_ISREG(mode):
                return "file", name, mode_word(mode), file_digest(full, entry.status)
        except OSError as error:
            raise _source_error(error, entry.path, self.directory) from None
        # A pipe or a device is copied as such, never read.
        return "special", name, f"{mode:o}", str(entry.status.st_rdev)


def _feed(hasher: hashlib._Hash, *parts: str) -> None:
    for part in parts:
        data = part.encode("utf-8", "surrogateescape")
        hasher.update(b"%d:%s" % (len(data), data))
    hasher.update(b"\n")


def _split_wildcards(path: str) -> tuple[str, str]:
    """The leading elements without wildcards, and the rest from the first that has one."""
    elements = path.split("/")
    for index, element in enumerate(elements):
        if _MAGIC.search(element):
            return "/".join(elements[:index]), "/".join(elements[index:])
    return path, ""


def _source_error(error: OSError, source: str, directory: str) -> ContextError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        message = f"'{source}' is not in the build context '{directory}'"
        return ContextError("missing-source", message)
    return ContextError("unreadable-source", f"'{source}' cannot be read: {error.strerror}")


_contexts: dict[tuple[str, str], BuildContext] = {}


def context_for(directory: str, dockerfile: str) -> BuildContext:
    """The build context of a Dockerfile built with ``directory``; one object a process.

    Raises :class:`ContextError` where its ignore file is there and cannot be read.
    """
    found = _ignore_text(directory, dockerfile)
    key = (os.path.abspath(directory), "")
    if found is not None:
        text = found[1].encode("utf-8", "surrogateescape")
        key = (key[0], hashlib.sha256(text).hexdigest())
    if key not in _contexts:
        ignore = None if found is None else IgnoreFile.parse(found[1], found[0])
        _contexts[key] = BuildContext(directory, ignore)
    return _contexts[key]


@witnessed
def real_path(path: str) -> str:
    """A path with no symbolic link on it."""
    return os.path.realpath(path)


@witnessed
def has_ignore_file(directory: str, dockerfile: str) -> bool:
    """Whether an ignore file counts when a Dockerfile is built with ``directory``."""
    try:
        return _ignore_text(directory, dockerfile) is not None
    except ContextError:
        return True


@witnessed
def taken(
    directory: str, dockerfile: str, source: str, excludes: tuple[str, ...], parents: bool
) -> str:
    """:meth:`BuildContext.digest` in :func:`context_for`. Raises :class:`ContextError`."""
    return context_for(directory, dockerfile).digest(source, excludes, parents=parents)


def ignore_file_for(directory: str, dockerfile: str) -> IgnoreFile | None:
    """The ignore file that counts when a Dockerfile is built with ``directory``, if there is one.

    Raises :class:`ContextError` where it cannot be read.
    """
    found = _ignore_text(directory, dockerfile)
    return None if found is None else IgnoreFile.parse(found[1], found[0])


@witnessed
def _ignore_text(directory: str, dockerfile: str) -> tuple[str, str] | None:
    """Path and text. ``<dockerfile>.dockerignore`` beside the Dockerfile wins over
    ``.dockerignore`` in the context (docs "Dockerignore": filename and location). ``""`` is no
    Dockerfile: a named context is used by many.
    """
    own = [f"{dockerfile}.dockerignore"] if dockerfile else []
    for path in (*own, os.path.join(directory, ".dockerignore")):
        try:
            with open(path, "rb") as file:
                return path, file.read().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            continue
        except NotADirectoryError:
            continue
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}"
            raise ContextError("bad-ignore-file", message) from None
    return None


def forget_contexts() -> None:
    """Drop what was read of directories: for a process that outlives changes, as a server does."""
    _contexts.clear()
