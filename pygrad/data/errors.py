"""What goes wrong with data sets."""

from __future__ import annotations


class DatasetError(ValueError):
    """A data file is missing, unreadable, or not what it should be; the message says what to do."""
