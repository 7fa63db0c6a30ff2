"""`python -m app`."""

import gc
from importlib import import_module

gc.disable()  # what is imported stays; to search it for garbage meanwhile takes nearly half the time of a start
main = import_module("app.cli").main
gc.freeze()
gc.enable()
main()
