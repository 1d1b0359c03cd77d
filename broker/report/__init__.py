"""What people look at: alerts, light curves with their process, test reports.

It may use the rooms below it and draws only what it is given.
Public: ``show``, ``light_curve_plot``, ``process_plot``, ``test_report``.
"""
