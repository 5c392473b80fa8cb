"""IAM policies: what they say, and whether a request is allowed by them.

`policy` reads documents, `grammar` refuses what IAM refuses, `evaluate` decides, and `authorize`
is the check that every call passes. Nothing here reads or writes state.
"""
