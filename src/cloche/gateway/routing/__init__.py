"""From a request to the operation that it asks for."""
