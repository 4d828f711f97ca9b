"""Other programs' formats, in and out. Nothing here decides anything about a note."""
