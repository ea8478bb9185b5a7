"""Records, meetings and the grammar of commands. Pure."""
