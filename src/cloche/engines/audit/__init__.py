"""The log of calls: events in order, found by what they name."""
