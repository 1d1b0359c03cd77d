"""What subscribers import: the alerts of a topic, decoded, each once. It may use Kafka's room and the settings.

from broker import client

for alert in client.listen("novel", start="earliest", limit=10):
    print(alert["object_name"], alert["q_value"], alert["driver_features"][:3])
"""

from broker.client.listening import Alerts, full_name, listen, time_ms_of, topics_of

__all__ = ["Alerts", "full_name", "listen", "time_ms_of", "topics_of"]
