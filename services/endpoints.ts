/** Addresses of the servers for tests and benches: on loopback, on ports of their own. */

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

/** One PostgreSQL instance holds log and vault, another the views, so that a test can stop one without the other. */
export const urls = {
  postgres: `postgres://parley@127.0.0.1:${ports.postgres}/postgres`,
  views: `postgres://parley@127.0.0.1:${ports.views}/postgres`,
  redis: `redis://127.0.0.1:${ports.redis}`,
  kafka: `kafka://127.0.0.1:${ports.kafka}`,
  cassandra: `cassandra://127.0.0.1:${ports.cassandra}`,
  /** Runs only where a Docker engine answers, because there is no other way to run it. */
  kurrentdb: `esdb://127.0.0.1:${ports.kurrentdb}?tls=false`,
} as const;
