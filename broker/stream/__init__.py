"""The Spark job: plan, fetch, score, route, deliver.

It may use every room below it; no other room but the benchmarks and the trial of filters imports Spark.
Public: ``job.run``, ``query.start``, ``submit``, ``session.session``, ``warm_up``, ``worker.worker_of``.
"""
