"""A territorial gate in front of meeting joins: one participant is turned away, never a meeting."""

__version__ = "0.1.0"
