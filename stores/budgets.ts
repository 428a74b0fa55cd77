/**
 * Limits for each store: milliseconds, bytes, counts. Relations between dependent limits are listed below and checked
 * at start.
 */

export const BUDGETS = {
  postgres: {
    /** An answer takes 1 ms (measured); a server that does not answer within this is treated as gone. */
    log: { connectMs: 3000, answerMs: 10_000, connections: 8, retrySeconds: 2 },
    vault: { connectMs: 3000, answerMs: 5000, connections: 8, retrySeconds: 2 },
    /** A restarted server is back within seconds. */
    views: { connectMs: 5000, answerMs: 5000, connections: 8, failureRatio: 0.5, openMs: 5000 },
    append: {
      /** How long one commit is retried. After that its writers must try again. */
      triedMs: 4000,
      pauseMs: 100,
      /**
       * Least time between the starts of two commits, unless enough items wait: a commit of eight events costs both
       * sides almost as much as one of thirty. Measured with 8 ms: 350 commits a second became 120, which freed a sixth
       * of a core.
       */
      gather: { ms: 4, enough: 32 },
    },
    /** After this, unused connections are closed. */
    idleMs: 60_000,
    /** For scans of all rows: a million takes some seconds. */
    longMs: 600_000,
    /** A process that waits longer to create tables reports it and tries again. */
    lockMs: 5000,
  },
  vault: {
    /** How long a reserved name may belong to another node's registration in progress. */
    takeOverAfterMs: 35_000,
    /** Calls to the vault between the reservation of a name and the append that uses it. */
    answersOfARegistration: 3,
  },
  kurrentdb: {
    /** A server gives up a write after this and reports it. */
    serverWriteMs: 2000,
    /** For one answer to one append. After that its outcome is unknown and it is retried. */
    answerMs: 2500,
    /** For all tries of one append. After that its writer must try again. */
    triedMs: 8000,
    /** Between two items of a read. After that the server counts as gone. */
    silenceMs: 10_000,
    pauseMs: 100,
    retrySeconds: 2,
  },
  cassandra: {
    /** A page takes 1 ms (measured), so one this late will not come. */
    answerMs: 5000,
    failureRatio: 0.5,
    openMs: 30_000,
    /** All nodes must agree on a table, which takes longer than a row. */
    schemaMs: 30_000,
    /** The driver's own pauses grow to ten minutes, so a server back after a long outage would stay unused as long. */
    reconnectMs: 1000,
    /** Checkpoints written together; one takes about 60 bytes. */
    batch: { count: 500, bytes: 32_768 },
    /** A server refuses a batch beyond this (`batch_size_fail_threshold`). */
    serverBatchBytes: 51_200,
  },
  redis: {
    /** A command takes 0.1 ms (measured), so an answer this late will not come. */
    answerMs: 1000,
    failureRatio: 0.5,
    openMs: 10_000,
    /** A server that comes back is found within this. */
    longestReconnectMs: 1000,
    /** A peer that vanished silently is noticed after this and ten probes, one a second. */
    keepAliveMs: 5000,
    /** For an abandoned connection to end by itself. */
    disconnectMs: 100,
    /** In a cluster: tries of one command, 100 ms apart, while its node is being replaced. */
    redirections: 8,
    redirectionMs: 100,
    /** Keys scanned in one go: half a millisecond. */
    scanned: 1000,
  },
  sessions: {
    /** Session starts and ends within this time are reported together. */
    tellMs: 100,
    /** A killed gateway's sessions are gone after this at most. */
    leaseSeconds: 15,
    renewMs: 5000,
    /** Every person is rewritten once in this many renewals: five minutes. */
    round: 60,
    /** How long entries are kept that nobody rewrites. */
    keptSeconds: 900,
  },
  ownWrites: {
    retryMs: 250,
    /**
     * How long Redis is mistrusted after an outage: other nodes may have failed to report writes, and do so within
     * this.
     */
    mistrustMs: 2000,
  },
  leases: {
    /**
     * A holder that hangs stops leading by its own clock after 2 s, and another process leads after 3.3 s at the
     * latest.
     */
    leadership: { leaseMs: 3000, renewMs: 600 },
    /** A process that cannot renew goes on for 20 s at most; the worker of a dead one is free after 30 s. */
    worker: { leaseMs: 30_000, renewMs: 5000 },
  },
  kafka: {
    connectMs: 3000,
    requestMs: 10_000,
    keepAliveMs: 10_000,
    /** Pause between tries. */
    firstPauseMs: 100,
    longestPauseMs: 1000,
    /** How long kafkajs retries by itself. */
    patienceMs: 5000,
    /** For a producer or a consumer to end by itself. */
    stopMs: 1000,
    /** Records of one partition sent as one batch; a single record may be larger. */
    batchBytes: 786_432,
    /** Largest batch that brokers accept by default (`message.max.bytes`). */
    brokerBatchBytes: 1_048_588,
    /** A killed member's partitions go to others after this. */
    sessionMs: 6000,
    /** The least that brokers allow (`group.min.session.timeout.ms`). */
    brokerSessionMs: 6000,
    /** How soon a member notices that others joined or left. */
    heartbeatMs: 300,
    /** How long others wait for a member to give up its partitions and rejoin. */
    rebalanceMs: 10_000,
    /** For the batch being stored when a member leaves. */
    lastBatchMs: 10_000,
    /** A fetch without records ends after this; a leaving member waits for it. */
    fetchMs: 250,
    /** About 700 events. Small, because a member decodes a fetch in one turn of the event loop. */
    fetchBytes: 262_144,
    /** Between two commits of offsets to the brokers. */
    commitMs: 1000,
    /** A broker that restarts within this finds its former members, which continue at once. */
    stuckMs: 30_000,
  },
};

export type Budgets = typeof BUDGETS;

interface Relation {
  readonly what: string;
  readonly is: (budgets: Budgets) => number;
  readonly than: string;
  readonly most: (budgets: Budgets) => number;
  readonly unit: 'ms' | 'bytes';
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

export const RELATIONS: readonly Relation[] = [
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
      vault.answersOfARegistration * asked.answerMs + append.triedMs + log.connectMs + log.answerMs,
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
    than: 'the making of a table',
    most: ({ cassandra }) => cassandra.schemaMs,
    unit: 'ms',
  },
  {
    what: 'a pause before connecting to Cassandra again',
    is: ({ cassandra }) => cassandra.reconnectMs,
    than: 'the time it is left alone',
    most: ({ cassandra }) => cassandra.openMs,
    unit: 'ms',
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
];

/** One sentence for each broken relation, with both numbers. */
export const brokenRelations = (budgets: Budgets): readonly string[] =>
  RELATIONS.flatMap(({ what, is, than, most, unit, equal }) => {
    const [value, limit] = [is(budgets), most(budgets)];
    if (value < limit || (equal && value === limit)) return [];
    const said = (n: number) => `${Math.round(n)} ${unit}`;
    const relation = equal ? 'may not be more than' : 'must be less than';
    return [`${what} (${said(value)}) ${relation} ${than} (${said(limit)})`];
  });

/** Call this at start. @throws Error that names every broken relation */
export const checkBudgets = (budgets: Budgets = BUDGETS): void => {
  const broken = brokenRelations(budgets);
  if (broken.length > 0) throw new Error(`These budgets do not fit together: ${broken.join('; ')}.`);
};
