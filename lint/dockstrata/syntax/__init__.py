"""What a Dockerfile says, lossless: directives, instructions, words, heredocs, image references."""
