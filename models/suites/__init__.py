"""Published tests: what is learnt from, what is tested, which figures come out, and whose figures stand beside."""
