"""Speed, measured beside a named peer in the same run: ratios hold from machine to machine, seconds do not."""
