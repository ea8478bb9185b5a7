"""Bare scripts that do the least: what no bot can be faster than on the same machine and the same sandbox."""
