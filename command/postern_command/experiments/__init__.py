"""The experiments of `postern verify`: what only a real AWS account can show.

experiment    the types of an experiment and its answer
stage         the resources of a run: receipt rules before all others, topics, a queue
conversation  SMTP with SES's receiving endpoint, even from a host without credentials
receiving     what SES does with incoming mail
sending       what SES does with outgoing mail
submission    what SES's SMTP service lets a password do
"""
