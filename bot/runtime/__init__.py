"""What runs: the composition root, the loops, and the queues between them."""
