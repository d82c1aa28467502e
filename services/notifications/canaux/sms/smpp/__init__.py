"""SMPP 3.4, as needed to send and receive SMS."""
