"""Where work happens: one folder for each kind of work, one file for each engine."""
