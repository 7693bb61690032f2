"""The comparison: the same training step in pure Python, by `Value`, by hand in numpy and in C alone.

``python -m pygrad bench`` runs it; `bench/README.md` in the repository says what is measured, and how to read it.
"""
