"""The parts of the inbound function, on AWS."""
