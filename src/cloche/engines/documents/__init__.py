"""The metadata store's engines: bytes by table, account, region and name."""
