"""What a crawler does: read, infer, group folders into tables, and bring the catalog up to date."""
