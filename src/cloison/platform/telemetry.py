"""Which settings say where traces, logs and metrics are sent.

Source: open-telemetry/opentelemetry-specification specification/protocol/exporter.md;
jaegertracing/documentation client environment variables; DataDog/documentation container agent.
"""

import re
from typing import Final

_NAMES: Final = re.compile(
    r"OTEL_EXPORTER_(?:OTLP|JAEGER|ZIPKIN)_[A-Z_]{0,40}"
    r"|(?:OTEL|OTLP|OPENTELEMETRY)_[A-Z_]{0,40}"
    r"|JAEGER_[A-Z_]{0,40}|ZIPKIN[A-Z_]{0,40}|SPRING_ZIPKIN_[A-Z_]{0,40}"
    r"|DD_(?:AGENT_HOST|TRACE_AGENT_URL|DOGSTATSD_[A-Z_]{0,40})"
    r"|STATSD_[A-Z_]{0,40}|COLLECTOR_(?:SERVICE_)?(?:ADDR|ADDRESS|HOST|ENDPOINT|URL)"
    r"|FLUENT(?:D|BIT)?_[A-Z_]{0,40}|LOKI_[A-Z_]{0,40}|PUSHGATEWAY[A-Z_]{0,40}"
)


def is_telemetry(name: str) -> bool:
    """Return whether a variable or option says where telemetry is sent.

    >>> is_telemetry("OTEL_EXPORTER_OTLP_ENDPOINT"), is_telemetry("otlp-endpoint")
    (True, True)
    >>> is_telemetry("DATABASE_URL")
    False
    """
    return _NAMES.fullmatch(name.upper().replace("-", "_").replace(".", "_")) is not None
