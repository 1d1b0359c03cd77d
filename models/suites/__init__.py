"""Published tests: training and test objects, figures, and the published figures of others."""
