"""What an operator does beside the running job: audit it, look at it, resend what was refused, replay alerts.

It may use the stream's files and every room below it, and never scores an alert itself.
Public: ``audit``, ``dead_letters``, ``replay``, ``checkpoint``, ``night``, ``status``, ``job_process``.
"""
