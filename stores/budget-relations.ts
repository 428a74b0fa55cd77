/** Relations between the budgets of the stores. */

import type { Budgets } from './budgets.ts';

/** One number that must stay below another. */
export interface Relation<B = Budgets> {
  readonly what: string;
  readonly is: (budgets: B) => number;
  readonly than: string;
  readonly most: (budgets: B) => number;
  readonly unit: 'ms' | 'bytes' | 'events' | 'requests' | 'partitions' | 'streams' | 'values';
  /** Whether equality is allowed. */
  readonly equal?: true;
}

const lease = (name: 'leadership' | 'worker'): Relation => ({
  what: `two renewals of a ${name}`,
  is: ({ leases }) => 2 * leases[name].renewMs,
  than: 'two thirds of its lease, which are relied upon',
  most: ({ leases }) => (2 / 3) * leases[name].leaseMs,
  unit: 'ms',
});

const connecting = (use: 'log' | 'vault' | 'views'): Relation => ({
  what: `connecting to the PostgreSQL of the ${use}`,
  is: ({ postgres }) => postgres[use].connectMs,
  than: 'one answer of it',
  most: ({ postgres }) => postgres[use].answerMs,
  unit: 'ms',
  equal: true,
});

const lastBatch = (store: string, answerMs: (budgets: Budgets) => number): Relation => ({
  what: `two answers of ${store}`,
  is: (budgets) => 2 * answerMs(budgets),
  than: 'the time for the last batch of a consumer that leaves',
  most: ({ kafka }) => kafka.lastBatchMs,
  unit: 'ms',
  equal: true,
});

export const STORE_RELATIONS: readonly Relation[] = [
  connecting('log'),
  connecting('vault'),
  connecting('views'),
  {
    what: 'connecting to the PostgreSQL of the log',
    is: ({ postgres }) => postgres.log.connectMs,
    than: 'all tries of one append',
    most: ({ postgres }) => postgres.append.triedMs,
    unit: 'ms',
  },
  {
    what: 'two answers of PostgreSQL to one commit',
    is: ({ postgres }) => 2 * postgres.append.answerMs,
    than: 'all tries of one append',
    most: ({ postgres }) => postgres.append.triedMs,
    unit: 'ms',
  },
  {
    what: 'gathering for a commit',
    is: ({ postgres }) => postgres.append.gather.ms,
    than: 'the pause between two tries of it',
    most: ({ postgres }) => postgres.append.pauseMs,
    unit: 'ms',
  },
  {
    what: 'waiting for the lock to make tables',
    is: ({ postgres }) => postgres.lockMs,
    than: 'what takes long in PostgreSQL',
    most: ({ postgres }) => postgres.longMs,
    unit: 'ms',
  },
  {
    what: 'a registration, with its answers of the vault and an append to PostgreSQL',
    // The last try begins just before the deadline, and connects first.
    is: ({ vault, postgres: { vault: asked, log, append } }) =>
      vault.answersOfARegistration * asked.answerMs + append.triedMs + log.connectMs + append.answerMs,
    than: 'the age at which a reserved name may be taken over',
    most: ({ vault }) => vault.takeOverAfterMs,
    unit: 'ms',
  },
  {
    what: 'a registration, with its answers of the vault and an append to KurrentDB',
    is: ({ vault, postgres, kurrentdb }) =>
      vault.answersOfARegistration * postgres.vault.answerMs + kurrentdb.triedMs + kurrentdb.answerMs,
    than: 'the age at which a reserved name may be taken over',
    most: ({ vault }) => vault.takeOverAfterMs,
    unit: 'ms',
  },
  {
    what: 'a write that KurrentDB gives up by itself',
    is: ({ kurrentdb }) => kurrentdb.serverWriteMs,
    than: 'waiting for its answer',
    most: ({ kurrentdb }) => kurrentdb.answerMs,
    unit: 'ms',
  },
  {
    what: 'two answers of KurrentDB',
    is: ({ kurrentdb }) => 2 * kurrentdb.answerMs,
    than: 'all tries of one append',
    most: ({ kurrentdb }) => kurrentdb.triedMs,
    unit: 'ms',
  },
  {
    what: 'one answer of Cassandra',
    is: ({ cassandra }) => cassandra.answerMs,
    than: 'the answer to a change of its tables',
    most: ({ cassandra }) => cassandra.schema.answerMs,
    unit: 'ms',
  },
  {
    what: 'two answers to a change of the tables of Cassandra',
    is: ({ cassandra }) => 2 * cassandra.schema.answerMs,
    than: 'all tries of it',
    most: ({ cassandra }) => cassandra.schema.triedMs,
    unit: 'ms',
    equal: true,
  },
  {
    what: 'a pause before connecting to Cassandra again',
    is: ({ cassandra }) => cassandra.reconnectMs,
    than: 'the time it is left alone',
    most: ({ cassandra }) => cassandra.openMs,
    unit: 'ms',
    equal: true,
  },
  {
    what: 'a batch for Cassandra',
    is: ({ cassandra }) => cassandra.batch.bytes,
    than: 'what a server of it takes',
    most: ({ cassandra }) => cassandra.serverBatchBytes,
    unit: 'bytes',
  },
  {
    what: 'all tries of one command in a Redis Cluster',
    is: ({ redis }) => redis.redirections * redis.redirectionMs,
    than: 'one answer of Redis',
    most: ({ redis }) => redis.answerMs,
    unit: 'ms',
  },
  {
    what: 'the longest pause before connecting to Redis again',
    is: ({ redis }) => redis.longestReconnectMs,
    than: 'the time it is left alone',
    most: ({ redis }) => redis.openMs,
    unit: 'ms',
    equal: true,
  },
  {
    what: 'two renewals of a gateway',
    is: ({ sessions }) => 2 * sessions.renewMs,
    than: 'its lease',
    most: ({ sessions }) => 1000 * sessions.leaseSeconds,
    unit: 'ms',
  },
  {
    what: 'two rounds in which a gateway writes everybody again',
    is: ({ sessions }) => 2 * sessions.round * sessions.renewMs,
    than: 'the time that sessions are kept',
    most: ({ sessions }) => 1000 * sessions.keptSeconds,
    unit: 'ms',
  },
  {
    what: 'another try to tell who wrote, and its answer',
    is: ({ ownWrites, redis }) => ownWrites.retryMs + redis.answerMs,
    than: 'the time that Redis is mistrusted',
    most: ({ ownWrites }) => ownWrites.mistrustMs,
    unit: 'ms',
  },
  lease('leadership'),
  lease('worker'),
  {
    what: 'connecting to Kafka',
    is: ({ kafka }) => kafka.connectMs,
    than: 'one request',
    most: ({ kafka }) => kafka.requestMs,
    unit: 'ms',
  },
  {
    what: 'a fetch that waits for records',
    is: ({ kafka }) => kafka.fetchMs,
    than: 'one request',
    most: ({ kafka }) => kafka.requestMs,
    unit: 'ms',
  },
  {
    what: 'a batch for Kafka',
    is: ({ kafka }) => kafka.batchBytes,
    than: 'what a broker takes',
    most: ({ kafka }) => kafka.brokerBatchBytes,
    unit: 'bytes',
  },
  {
    what: 'three heartbeats of a consumer',
    is: ({ kafka }) => 3 * kafka.heartbeatMs,
    than: 'its session',
    most: ({ kafka }) => kafka.sessionMs,
    unit: 'ms',
  },
  {
    what: 'the shortest session that brokers allow',
    is: ({ kafka }) => kafka.brokerSessionMs,
    than: 'the session of a consumer',
    most: ({ kafka }) => kafka.sessionMs,
    unit: 'ms',
    equal: true,
  },
  {
    what: 'the session of a consumer',
    is: ({ kafka }) => kafka.sessionMs,
    than: 'the time after which it is replaced',
    most: ({ kafka }) => kafka.stuckMs,
    unit: 'ms',
  },
  {
    what: 'the time for the last batch of a consumer that leaves',
    is: ({ kafka }) => kafka.lastBatchMs,
    than: 'the time that others wait for it',
    most: ({ kafka }) => kafka.rebalanceMs,
    unit: 'ms',
    equal: true,
  },
  lastBatch('the PostgreSQL of the views', ({ postgres }) => postgres.views.answerMs),
  lastBatch('Cassandra', ({ cassandra }) => cassandra.answerMs),
  lastBatch('Redis', ({ redis }) => redis.answerMs),
  {
    what: 'a commit of the log',
    is: ({ log }) => log.commit.bytes,
    than: 'what PostgreSQL takes as one message',
    most: ({ postgres }) => postgres.serverMessageBytes,
    unit: 'bytes',
  },
  {
    what: 'the streams that KurrentDB is sent at once',
    is: ({ kurrentdb }) => kurrentdb.streams,
    than: 'what its client can write without waiting',
    most: ({ kurrentdb }) => kurrentdb.clientWrites,
    unit: 'streams',
  },
  {
    what: 'the silence after which KurrentDB counts as gone',
    is: ({ kurrentdb }) => kurrentdb.silenceMs,
    than: 'a wait for the list of its streams',
    most: ({ kurrentdb }) => kurrentdb.listing.waitMs,
    unit: 'ms',
  },
  {
    what: 'all writes that SQLite takes in one transaction',
    is: ({ sqlite }) => sqlite.transaction.count * sqlite.writeBytes,
    than: 'the size of one',
    most: ({ sqlite }) => sqlite.transaction.bytes,
    unit: 'bytes',
    equal: true,
  },
  {
    what: 'a piece of messages for Cassandra, at their largest',
    is: ({ cassandra, log }) => cassandra.piece * log.messageBytes,
    than: 'what a server takes for one partition',
    most: ({ cassandra }) => cassandra.serverMutationBytes,
    unit: 'bytes',
  },
  {
    what: 'a pack of rows for Cassandra',
    is: ({ cassandra }) => cassandra.pack * cassandra.progress.rowBytes,
    than: 'what a server takes as one batch',
    most: ({ cassandra }) => cassandra.serverBatchBytes,
    unit: 'bytes',
  },
  {
    what: 'a pack of rows for Cassandra',
    is: ({ cassandra }) => cassandra.pack,
    than: 'what a server takes without a warning',
    most: ({ cassandra }) => cassandra.serverPartitions,
    unit: 'partitions',
    equal: true,
  },
  {
    what: 'the requests on their way to Cassandra',
    is: ({ cassandra }) => cassandra.inFlight,
    than: 'what one connection takes',
    most: ({ cassandra }) => cassandra.driverInFlight,
    unit: 'requests',
  },
  {
    what: 'who wrote, told in one call',
    is: ({ ownWrites }) => ownWrites.batch.count * ownWrites.entryBytes,
    than: 'the size of one',
    most: ({ ownWrites }) => ownWrites.batch.bytes,
    unit: 'bytes',
    equal: true,
  },
  {
    what: 'who wrote, with a position each and the time they are kept',
    is: ({ ownWrites }) => 2 * ownWrites.batch.count + 1,
    than: 'what a script takes',
    most: ({ redis }) => redis.scriptValues,
    unit: 'values',
  },
  {
    what: 'a manifest of messages at their largest',
    is: ({ feed, log }) => feed.events * log.messageBytes,
    than: 'what may wait for a subscriber of Redis',
    most: ({ redis }) => redis.serverOutputBytes,
    unit: 'bytes',
  },
  {
    what: 'a message at its largest',
    is: ({ log }) => log.messageBytes,
    than: 'a batch for Kafka',
    most: ({ kafka }) => kafka.batchBytes,
    unit: 'bytes',
  },
  {
    what: 'one answer of Redis',
    is: ({ redis }) => redis.answerMs,
    than: 'the wait for the views of a session that begins',
    most: ({ sessionStart }) => sessionStart.heldMs,
    unit: 'ms',
  },
  {
    what: 'the wait for heads of a session that begins',
    is: ({ sessionStart }) => sessionStart.headsMs,
    than: 'its wait for the views',
    most: ({ sessionStart }) => sessionStart.heldMs,
    unit: 'ms',
  },
  {
    what: 'a page of the relay',
    is: ({ relay }) => relay.page,
    than: 'what a log answers at once',
    most: ({ log }) => log.read,
    unit: 'events',
    equal: true,
  },
  {
    what: 'gathering for a page of the relay',
    is: ({ relay }) => relay.gatherMs,
    than: 'the pause between two of its ticks',
    most: ({ relay }) => relay.idleMs,
    unit: 'ms',
  },
  {
    what: 'a renewal of a leadership, and its answer',
    is: ({ leases: { leadership, answerMs } }) => leadership.renewMs + answerMs,
    than: 'two thirds of its lease, which are relied upon',
    most: ({ leases: { leadership } }) => (2 / 3) * leadership.leaseMs,
    unit: 'ms',
  },
  {
    what: 'the lease of a leadership, with two tries of whoever seeks it',
    is: ({ leases: { leadership, answerMs } }) => leadership.leaseMs + leadership.renewMs + answerMs,
    than: 'the time within which another leads',
    most: ({ leases }) => leases.handOverMs,
    unit: 'ms',
  },
  {
    what: 'the stopping of a relay and of its producer',
    is: ({ relay, kafka }) => relay.stopMs + kafka.stopMs,
    than: 'the time within which another leads',
    most: ({ leases }) => leases.handOverMs,
    unit: 'ms',
  },
];
