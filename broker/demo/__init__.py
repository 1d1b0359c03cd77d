"""The demonstration: the whole broker at work on one machine, with light curves whose truth is known."""
