"""Headings of clinical notes and the words that lay a note out."""
