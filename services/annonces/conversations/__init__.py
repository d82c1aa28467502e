"""Conversations between who answers an annonce and who posted it: messages, encrypted, and where people meet."""
