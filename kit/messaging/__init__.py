"""Kafka, and how an event is written, published, received once, retried and buried."""
