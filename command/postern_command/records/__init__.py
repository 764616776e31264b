"""The DNS records of our domains in public DNS: `public` asks resolvers, `judge` says what is wrong."""
