"""The AsyncAPI 3.0 document of all topics, made from the table of topics and the event classes."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from contracts.base import Evenement
from contracts.topics import JOUR_MS, TOPICS, Topic

_KAFKA = "0.5.0"
_FORMAT = "application/schema+json;version=draft-2020-12"

# CloudEvents 1.0, binary mode: attributes are Kafka headers, the event itself is the value.
_ENVELOPE: dict[str, Any] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "content-type"],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "minLength": 1, "maxLength": 128, "description": "Readers drop an id seen before."},
        "ce_type": {"type": "string", "description": "The name of the message."},
        "ce_source": {"type": "string", "description": "The service that wrote it: /annonces."},
        "ce_subject": {"type": "string", "description": "The key: the aggregate that it is about."},
        "ce_time": {"type": "string", "format": "date-time", "description": "When it happened, UTC."},
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C trace context."},
    },
}


def document(events: Sequence[type[Evenement]], file_name: Callable[[type[Evenement]], str]) -> dict[str, Any]:
    """Builds the document. `file_name(event)` is the file of the event's schema in the folder schemas/ beside the
    document."""
    by_topic = {topic.name: [event for event in events if event.topic == topic.name] for topic in TOPICS}
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        operations[f"{topic.owner}.emet.{topic.name}"] = _operation("send", topic, topic.owner, by_topic[topic.name])
        for reader in topic.readers:
            operations[f"{reader}.lit.{topic.name}"] = _operation("receive", topic, reader, by_topic[topic.name])
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Place des assos : les événements",
            "version": "1.0.0",
            "description": (
                "Who writes which event on which Kafka topic, and who reads it. "
                "What a reader cannot process goes to `<topic>.<reader>.retry`, then to `<topic>.<reader>.dlq`. "
                "Readers ignore fields that they do not know."
            ),
            "license": {"name": "EUPL-1.2"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic, by_topic[topic.name]) for topic in TOPICS},
        "operations": operations,
        "components": {
            "messages": {event.type_name(): _message(event, file_name(event)) for event in events},
            "schemas": {"CloudEvent": _ENVELOPE},
        },
    }


def _channel(topic: Topic, events: Sequence[type[Evenement]]) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": topic.cleanup_policy.split(",")}
    if topic.retention_ms is not None:
        configuration["retention.ms"] = topic.retention_ms
    return {
        "address": topic.name,
        "title": topic.name,
        "description": _description(topic),
        "messages": {e.type_name(): {"$ref": f"#/components/messages/{e.type_name()}"} for e in events},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": _KAFKA,
            }
        },
        "x-owner": topic.owner,
        "x-readers": list(topic.readers),
        "x-key": topic.key,
    }


def _description(topic: Topic) -> str:
    kept = "for ever" if topic.retention_ms is None else f"{topic.retention_ms // JOUR_MS} days"
    last = "The last event of each key is kept" if topic.compact else "Events are kept"
    return f"Owned by {topic.owner}, keyed by {topic.key}. {last} {kept}."


def _operation(action: str, topic: Topic, service: str, events: Sequence[type[Evenement]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{event.type_name()}"} for event in events],
        "tags": [{"name": service}],
    }
    # A service that reads its own topic reads all of it in every process, so it uses no consumer group.
    if action == "receive" and service != topic.owner:
        group = {"type": "string", "enum": [service, f"{service}.retry"]}
        found["bindings"] = {"kafka": {"groupId": group, "bindingVersion": _KAFKA}}
    return found


def _message(event: type[Evenement], schema_file: str) -> dict[str, Any]:
    summary = inspect.cleandoc(event.__doc__ or "").partition("\n")[0]
    return {
        "name": event.type_name(),
        "title": event.type_name(),
        "summary": summary,
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/CloudEvent"},
        "payload": {"schemaFormat": _FORMAT, "schema": {"$ref": f"schemas/{schema_file}"}},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": _KAFKA}},
    }
