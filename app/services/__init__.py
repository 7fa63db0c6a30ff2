"""One verb per function: check, change, write down. Plain sync functions that get a transaction and know nothing of the web."""
