"""What the outside world says: dated, cited facts, and the readers of official files."""
