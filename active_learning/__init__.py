"""What to ask and what is learnt from the answers: candidates, the night's plan, labels, retraining, its gate, the page.

It may use ``models`` and the rooms below. It knows neither Kafka nor Redis: it is given logs and candidates.
Public: ``planner``, ``labels``, ``requests``, ``retrain``, ``gate``, ``logs``, ``web.app``.
"""
