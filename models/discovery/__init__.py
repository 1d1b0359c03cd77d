"""Discovery: which objects of a night are of no class that is known, at a stated false-discovery rate.

The entry point is :func:`models.discovery.selection.select`.
"""
