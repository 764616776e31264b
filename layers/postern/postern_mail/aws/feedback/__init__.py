"""Feedback from SES, recorded on AWS."""
