"""The language server: what lint says of the text in an editor, as it is typed."""
