/** The servers of a cluster, as operators know them. */

import type { ClusterConfig } from '../../schemas/settings.ts';

export interface ServerAddress {
  /** The server's name for operators, such as `Redis`. */
  readonly name: string;
  readonly variable: string;
  readonly url: string;
}

interface Place {
  readonly name: string;
  readonly variable: string;
  readonly key: keyof ClusterConfig;
  /** What a process does while it is gone, and what an operator does when its tables are. */
  readonly meanwhile: string;
  readonly repair: string;
}

const RESTORE = 'Put a backup back: see docs/operating.md.';

export const PLACES = {
  log: {
    ...{ name: 'The event log', variable: 'PARLEY_LOG_URL', key: 'logUrl' },
    meanwhile: 'Commands are answered with 503; reading goes on.',
    repair: RESTORE,
  },
  vault: {
    ...{ name: 'The vault', variable: 'PARLEY_VAULT_URL', key: 'vaultUrl' },
    meanwhile: 'Nobody logs in or registers; after 20 s nobody can send.',
    repair: RESTORE,
  },
  views: {
    ...{ name: 'The PostgreSQL of the guild views', variable: 'PARLEY_VIEWS_URL', key: 'viewsUrl' },
    meanwhile: 'Guilds cannot be listed or changed, and no session begins; people go on talking.',
    repair: 'Run `parley projections rebuild guild-views`.',
  },
  redis: {
    ...{ name: 'Redis', variable: 'PARLEY_REDIS_URL', key: 'redisUrl' },
    meanwhile: 'Unread counts and delivery come from the log, and each process counts limits for itself.',
    repair: 'Run `parley projections rebuild unread`.',
  },
  kafka: {
    ...{ name: 'Kafka', variable: 'PARLEY_KAFKA_URL', key: 'kafkaUrl' },
    meanwhile: 'The views stand still; what they lack comes from the log.',
    repair: 'See docs/distribution.md.',
  },
  cassandra: {
    ...{ name: 'Cassandra', variable: 'PARLEY_CASSANDRA_URL', key: 'cassandraUrl' },
    meanwhile: 'Pages of history are answered with 503; everything else goes on.',
    repair: 'Run `parley projections rebuild timelines`.',
  },
} as const satisfies Record<string, Place>;

export type PlaceName = keyof typeof PLACES;

export const addressOf = (of: PlaceName, cluster: ClusterConfig): ServerAddress => {
  const { name, variable, key } = PLACES[of];
  // The configuration of a cluster is refused without it.
  return { name, variable, url: cluster[key]! };
};
