"""The identities and DNS records of the domains, on AWS."""
