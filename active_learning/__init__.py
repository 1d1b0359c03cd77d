"""What to ask, and retraining with the answers: candidates, the plan of a night, labels, retraining, the page.

It may use ``models`` and the rooms below. It knows neither Kafka nor Redis: it is given logs and candidates.
Public: ``planner``, ``labels``, ``requests``, ``retrain``, ``gate``, ``logs``, ``web.app``.
"""
