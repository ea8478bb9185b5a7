"""A Mattermost and a Zoom of our own, for the demo and for tests; imports nothing else from `bot`."""
