"""sevtracker: the incident tracker that does not believe a fix until it has seen the door closed."""

__version__ = "0.1.0"
