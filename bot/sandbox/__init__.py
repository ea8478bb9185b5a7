"""In-memory Mattermost and Zoom servers for the demo and the tests. Imports nothing else from `bot`."""
