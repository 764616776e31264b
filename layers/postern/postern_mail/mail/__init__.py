"""The decisions about mail, pure: values in, values out. No clock, network, environment or boto3.

Nothing here imports from the rest of the package; tests/unit/test_architecture.py holds that.
"""
