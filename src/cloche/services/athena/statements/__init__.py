"""Statements that are Athena's own work: Hive's DDL, utilities, and what writes."""
