"""The `postern` command. It is not part of the functions: its libraries would slow their start."""
