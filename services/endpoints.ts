/** Where the servers that tests and benches use listen: on loopback, on ports of their own. */

export const ports = {
  postgres: 7551,
  views: 7552,
  redis: 7553,
  kafka: 7554,
  kafkaController: 7555,
  cassandra: 7556,
  cassandraStorage: 7557,
  kurrentdb: 7558,
} as const;

/** Two PostgreSQL instances: log and vault in one, views in the other, so that a test can stop one without the other. */
export const urls = {
  postgres: `postgres://parley@127.0.0.1:${ports.postgres}/postgres`,
  views: `postgres://parley@127.0.0.1:${ports.views}/postgres`,
  redis: `redis://127.0.0.1:${ports.redis}`,
  kafka: `kafka://127.0.0.1:${ports.kafka}`,
  cassandra: `cassandra://127.0.0.1:${ports.cassandra}`,
  /** Only where a Docker engine answers: there is no other way to run it. */
  kurrentdb: `esdb://127.0.0.1:${ports.kurrentdb}?tls=false`,
} as const;
