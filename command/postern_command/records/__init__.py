"""The DNS records of our domains as the world sees them: `public` asks, `judge` says how they are."""
