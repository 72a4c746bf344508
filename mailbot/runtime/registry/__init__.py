"""The unit registry: registry.csv, loaded into an indexed file."""
