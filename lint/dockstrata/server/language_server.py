"""The protocol: https://microsoft.github.io/language-server-protocol, by way of pygls."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from dockstrata import __version__
from dockstrata.errors import DockstrataError
from dockstrata.finding import Finding, Related, Severity
from dockstrata.registry import Registry
from dockstrata.server.documents import (
    Change,
    Checked,
    JobFor,
    check,
    fix_all,
    pages,
    quick_fixes,
)
from dockstrata.source import Source

PAUSE = 0.15
"""Seconds without another change before a text is checked."""
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
    Severity.STYLE: types.DiagnosticSeverity.Hint,
}
FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.dockstrata"


class Server:
    """The open documents of one editor.

    Texts come whole with each change: editors and BuildKit disagree about what ends a line.
    """

    def __init__(self, registry: Registry, job_for: JobFor) -> None:
        self.registry = registry
        self.job_for = job_for
        self.checked: dict[str, Checked] = {}
        self.told: set[str] = set()
        self.protocol = LanguageServer(
            "dockstrata", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full
        )
        self._listen()

    def _listen(self) -> None:
        kinds = [types.CodeActionKind.QuickFix, FIX_ALL]
        actions = types.CodeActionOptions(code_action_kinds=kinds)
        handlers: list[tuple[str, object, Callable[..., object]]] = [
            (types.INITIALIZED, None, self.initialized),
            (types.TEXT_DOCUMENT_DID_OPEN, None, self.opened),
            (types.TEXT_DOCUMENT_DID_CHANGE, None, self.changed),
            (types.TEXT_DOCUMENT_DID_SAVE, None, self.saved),
            (types.TEXT_DOCUMENT_DID_CLOSE, None, self.closed),
            (types.TEXT_DOCUMENT_HOVER, None, self.hover),
            (types.TEXT_DOCUMENT_CODE_ACTION, actions, self.code_actions),
        ]
        for name, options, handler in handlers:
            # pygls writes attributes onto what it is given: a bound method has none.
            self.protocol.feature(name, options)(partial(handler))

    def initialized(self, _params: types.InitializedParams) -> None:
        for problem in self.registry.problems:
            self.tell(problem)

    def opened(self, params: types.DidOpenTextDocumentParams) -> None:
        self.publish(params.text_document.uri)

    async def changed(self, params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        await asyncio.sleep(PAUSE)
        there = self.protocol.workspace.text_documents.get(document.uri)
        if there is not None and there.version == document.version:
            self.publish(document.uri)

    def saved(self, _params: types.DidSaveTextDocumentParams) -> None:
        # What was saved may be the configuration, or a parent of another document.
        for uri in list(self.protocol.workspace.text_documents):
            self.publish(uri)

    def closed(self, params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        self.checked.pop(uri, None)
        self.protocol.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def publish(self, uri: str) -> None:
        """Check a document as it is now, and tell the editor."""
        document = self.protocol.workspace.get_text_document(uri)
        checked = self.check(uri)
        found = [] if checked is None else [self.diagnostic(it, checked) for it in checked.findings]
        self.protocol.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, found, document.version)
        )

    def check(self, uri: str) -> Checked | None:
        """What is found in a document; ``None`` where it is left out, or nothing can be told."""
        text = self.protocol.workspace.get_text_document(uri).source
        path = uris.to_fs_path(uri) or uri
        try:
            job = self.job_for(self.root(path), path)
            if job is None:
                self.checked.pop(uri, None)
                return None
            checked = check(Source(path, text), job, self.registry)
        except DockstrataError as error:
            self.tell(str(error))
            return self.checked.get(uri)
        except Exception as error:  # one bad file must not end the server
            self.tell(f"internal error: {type(error).__name__}: {error}")
            return None
        for message in checked.errors:
            self.tell(message)
        self.checked[uri] = checked
        return checked

    def root(self, path: str) -> str:
        """The folder of the editor's that a file lies in, else the file's own."""
        folders = [uris.to_fs_path(uri) for uri in self.protocol.workspace.folders]
        root = self.protocol.workspace.root_path
        around = [
            folder
            for folder in (*folders, root)
            if folder and os.path.commonpath([folder, os.path.dirname(path) or "."]) == folder
        ]
        return max(around, key=len) if around else os.path.dirname(path) or "."

    def tell(self, message: str) -> None:
        """Show a message once: it would come back with every key."""
        if message not in self.told:
            self.told.add(message)
            self.protocol.window_show_message(
                types.ShowMessageParams(types.MessageType.Error, f"dockstrata: {message}")
            )

    def hover(self, params: types.HoverParams) -> types.Hover | None:
        checked = self.checked.get(params.text_document.uri)
        if checked is None:
            return None
        line = params.position.line + 1
        column = self.column(checked.source, line, params.position.character)
        found = pages(checked, line, column, self.registry)
        if not found:
            return None
        text = types.MarkupContent(types.MarkupKind.Markdown, "\n---\n\n".join(found))
        return types.Hover(text)

    def code_actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        checked = self.checked.get(uri)
        document = self.protocol.workspace.get_text_document(uri)
        if checked is None or checked.source.text != document.source:
            checked = self.check(uri)
        if checked is None:
            return []
        only = params.context.only or []
        actions: list[types.CodeAction] = []
        if _asked(types.CodeActionKind.QuickFix.value, only):
            lines = range(params.range.start.line + 1, params.range.end.line + 2)
            for change in quick_fixes(checked, lines, self.registry):
                actions.append(self.action(uri, checked, change, types.CodeActionKind.QuickFix))
        path = checked.source.path
        if _asked(FIX_ALL, only) and (job := self.job_for(self.root(path), path)) is not None:
            whole = fix_all(checked, job, self.registry)
            if whole is not None:
                actions.append(self.action(uri, checked, whole, FIX_ALL))
        return actions

    def action(
        self, uri: str, checked: Checked, change: Change, kind: types.CodeActionKind | str
    ) -> types.CodeAction:
        start = self.position(checked.source, *checked.source.position(change.span.start))
        end = self.position(checked.source, *checked.source.position(change.span.end))
        edit = types.TextEdit(types.Range(start, end), change.text)
        finding = change.finding
        return types.CodeAction(
            title=change.title,
            kind=kind,
            diagnostics=[self.diagnostic(finding, checked)] if finding is not None else None,
            is_preferred=change.safe if finding is not None else None,
            edit=types.WorkspaceEdit(changes={uri: [edit]}),
        )

    def diagnostic(self, finding: Finding, checked: Checked) -> types.Diagnostic:
        at, source = finding.location, checked.source
        start = self.position(source, at.line, at.column)
        end = self.position(source, at.end_line, at.end_column)
        return types.Diagnostic(
            range=types.Range(start, end),
            message=finding.message,
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            source="dockstrata",
            related_information=[self.related(it, checked) for it in finding.related] or None,
        )

    def related(self, related: Related, checked: Checked) -> types.DiagnosticRelatedInformation:
        path = os.path.join(os.path.dirname(checked.source.path), related.path)
        if related.path == checked.source.path:
            path = related.path
        line = types.Position(max(related.line - 1, 0), 0)
        place = types.Location(uris.from_fs_path(path) or path, types.Range(line, line))
        return types.DiagnosticRelatedInformation(place, related.message)

    def position(self, source: Source, line: int, column: int) -> types.Position:
        """A place (from 1, in characters) as the editor counts."""
        start = source.line_span(min(line, len(source.line_starts()))).start
        before = source.text[start : start + column - 1]
        return types.Position(line - 1, sum(map(self._units, before)))

    def column(self, source: Source, line: int, character: int) -> int:
        """The column (from 1) at which the editor's count of units is reached."""
        if line > len(source.line_starts()):
            return 1
        span = source.line_span(line)
        units = 0
        for at, letter in enumerate(source.text[span.start : span.end]):
            if units >= character:
                return at + 1
            units += self._units(letter)
        return span.end - span.start + 1

    def _units(self, letter: str) -> int:
        encoding = self.protocol.workspace.position_encoding
        if encoding == types.PositionEncodingKind.Utf8:
            return len(letter.encode("utf-8", "surrogatepass"))
        if encoding == types.PositionEncodingKind.Utf32:
            return 1
        return 1 + (ord(letter) > 0xFFFF)


def _asked(kind: str, only: Sequence[types.CodeActionKind | str]) -> bool:
    """Whether an editor that asks for these kinds wants one; a kind has those below it."""
    wanted = [str(getattr(it, "value", it)) for it in only]
    return not wanted or any(kind == it or kind.startswith(f"{it}.") for it in wanted)
