"""MongoDB and Redis: connections, indexes, migrations, encryption at rest, which errors are outages."""
