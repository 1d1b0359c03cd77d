"""The report of a published test: pictures, and a page that holds them."""
