"""The one home of the version number: pyproject.toml, the C library and `pygrad.__version__` read it here."""

__version__ = "0.1.0"
