"""What a feature sees: the context, the registry, the inbox and the outbox."""
