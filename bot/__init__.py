"""Zoom meetings in Mattermost, without a server plugin."""

__version__ = "0.1.0"
