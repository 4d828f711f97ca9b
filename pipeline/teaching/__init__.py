"""Teaching material out of the rule files and the review itself: nothing is told twice.

lessons.py    every rule with its example and counterexample, and what they really give
pairs.py      a note with one element removed, and what that changes
checklist.py  what to document for a billed service
exercises.py  notes to be coded, and how answers are graded
outcomes.py   a report as a list of results, and how two lists differ
"""
