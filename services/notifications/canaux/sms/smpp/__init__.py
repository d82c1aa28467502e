"""SMPP 3.4, as far as an operator of SMS needs it."""
