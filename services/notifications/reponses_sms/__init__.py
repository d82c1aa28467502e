"""What people write back by SMS."""
