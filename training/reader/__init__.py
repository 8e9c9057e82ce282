"""Training of the reader: the small text encoder of copydesk with heads for entities, quotes and tone."""
