"""What features build on: the context, declarations, registry, inbox, tasks and people."""
