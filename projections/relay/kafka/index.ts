/** The distribution log on Kafka: what writes it, and what those who read it need to connect. */
export { kafkaOf, retryFor } from './connection.ts';
export { type RelayOptions, startRelay } from './relay.ts';
export { ensureTopic, eventsTopic } from './topics.ts';
export { parseKafkaUrl } from './url.ts';
