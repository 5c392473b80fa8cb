"""placeholder: interface agreed, written by the documents work."""
