"""What the bot is about: records, meetings and the grammar of commands. Pure."""
