"""What things are: the frozen records that the steps of the pipeline hand to one another.

Standard library and pydantic only; nothing of ours is imported from outside this package.
"""
