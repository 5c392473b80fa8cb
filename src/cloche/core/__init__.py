"""What a service is made of: operations, errors, documents, jobs, events, the clock."""
