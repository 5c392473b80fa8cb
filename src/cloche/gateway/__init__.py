"""From bytes to an operation and back: HTTP, routing, signing, protocols, errors, audit."""
