"""The texts that people read: the catalogue, cards, Markdown and dates."""
