"""Web Push: notifications of browsers."""
