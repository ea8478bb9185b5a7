"""What people read: the catalogue, the cards, Markdown and dates."""
