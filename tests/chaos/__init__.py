"""Kills the real process again and again under load, and counts what that cost: see ``__main__``."""
