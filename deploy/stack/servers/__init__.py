"""Real mongod, redis-server and Apache Kafka as child processes, without Docker."""
