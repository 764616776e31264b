"""The way of a message on AWS: what the inbound function's parts are made of."""
