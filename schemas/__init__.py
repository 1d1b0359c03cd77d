"""Packets in, messages out: readers of each survey, light curves, the class tree, published messages.

The lowest room: it imports nothing else of gueststar, and a survey's name appears only here.
Public: ``packets``, ``light_curves``, ``messages``, ``taxonomy``, ``photometry``, ``night``, ``whole_file``.
"""
