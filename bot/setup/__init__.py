"""What an operator runs besides the bot itself: the first configuration, the keys, and the doctor."""
