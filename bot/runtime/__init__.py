"""The composition root, the background loops, and the queues between them."""
