/** The servers, their ports, and their addresses in the form that Parley's configuration takes. */
import type { ports as sharedPorts } from './endpoints.ts';

/** `views` is a separate PostgreSQL, so that a test can stop one without the other. */
export const nativeNames = ['postgres', 'views', 'redis', 'kafka', 'cassandra'] as const;
export type NativeName = (typeof nativeNames)[number];

/** KurrentDB exists as a container image only. */
export const serviceNames = [...nativeNames, 'kurrentdb'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Every port of one set of servers, on loopback. */
export type Ports = Readonly<Record<keyof typeof sharedPorts, number>>;

/** Addresses of a set, in the form of PARLEY_LOG_URL and its like. */
export const urlsOf = (ports: Ports): Readonly<Record<ServiceName, string>> => ({
  postgres: `postgres://parley@127.0.0.1:${ports.postgres}/postgres`,
  views: `postgres://parley@127.0.0.1:${ports.views}/postgres`,
  redis: `redis://127.0.0.1:${ports.redis}`,
  kafka: `kafka://127.0.0.1:${ports.kafka}`,
  cassandra: `cassandra://127.0.0.1:${ports.cassandra}`,
  kurrentdb: `esdb://127.0.0.1:${ports.kurrentdb}?tls=false`,
});

export const isServiceName = (name: string): name is ServiceName => (serviceNames as readonly string[]).includes(name);
