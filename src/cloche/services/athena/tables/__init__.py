"""What a table's name in a statement means: files, views and tables of the service itself."""
