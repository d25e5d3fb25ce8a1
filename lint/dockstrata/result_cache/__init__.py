"""What the rules said of a file in earlier runs."""
