"""The AWS services, one package each, named as boto3 names them."""
