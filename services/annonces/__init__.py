"""The service annonces: associations, their ads, the answers to them, and the search."""
