"""The command line: one file for each command of ``gueststar``, loaded when it is called.

A command reads its options, calls the rooms below, and prints; it decides nothing itself. Shared: ``options``.
"""
