"""What happens to a note: one module per step, each a function from records to records."""
