"""What only a real account can tell, tried on it: the experiments of `postern verify`.

experiment    what an experiment is, and its answer
stage         what AWS has for the time of a run: rules in front, topics, a queue
conversation  SMTP with SES's receiving endpoint, also from a host without credentials
receiving     what SES does with mail that comes in
sending       what SES does with mail that goes out
submission    what SES's SMTP service lets a password do
"""
