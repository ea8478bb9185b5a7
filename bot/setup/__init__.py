"""Before the bot runs and beside it: the first configuration, the keys, and the doctor."""
