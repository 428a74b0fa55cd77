/**
 * What each store may take: milliseconds, bytes, counts. Those that depend on each other are related below, and the relations
 * are checked at start.
 */

export const BUDGETS = {
  postgres: {
    /** An answer takes 1 ms (measured); a server that does not answer within this is treated as gone. */
    log: { connectMs: 3000, answerMs: 10_000, connections: 8, retrySeconds: 2 },
    vault: { connectMs: 3000, answerMs: 5000, connections: 8, retrySeconds: 2 },
    /** A restarted server is back within seconds. */
    views: { connectMs: 5000, answerMs: 5000, connections: 8, failureRatio: 0.5, openMs: 5000 },
    append: {
      /** How long one commit is tried: then its writers are told to come again. */
      triedMs: 4000,
      pauseMs: 100,
      /**
       * From one commit to the next at least, while fewer wait than are worth a commit: a commit of eight events costs both
       * sides almost as much as one of thirty. Measured with 8 ms: 350 commits a second became 120, which left a sixth of a
       * core to others.
       */
      gather: { ms: 4, enough: 32 },
    },
    /** Connections that nobody needs. */
    idleMs: 60_000,
    /** For going through all rows: a million takes some seconds. */
    longMs: 600_000,
    /** Whoever waits longer to make tables says so, and tries again. */
    lockMs: 5000,
  },
  vault: {
    /** How long a reserved name may be another node's registration under way. */
    takeOverAfterMs: 35_000,
    /** Answers of the vault between the reservation of a name and the append that uses it. */
    answersOfARegistration: 3,
  },
  kurrentdb: {
    /** A server gives up a write by itself after this, and says so. */
    serverWriteMs: 2000,
    /** For one answer to one append; then its outcome is unknown and it is tried again. */
    answerMs: 2500,
    /** For all tries of one append; then its writer is told to come again. */
    triedMs: 8000,
    /** Between two things that a read yields; then the server counts as gone. */
    silenceMs: 10_000,
    pauseMs: 100,
    retrySeconds: 2,
  },
  cassandra: {
    /** A page takes 1 ms (measured), so one that takes this long will not come. */
    answerMs: 5000,
    failureRatio: 0.5,
    openMs: 30_000,
    /** Tables are agreed upon by all nodes, which takes longer than a row. */
    schemaMs: 30_000,
    /** The driver's own schedule grows to ten minutes: a server that was away for long would be missed as long. */
    reconnectMs: 1000,
    /** Of checkpoints that are written together; one takes about 60 bytes. */
    batch: { count: 500, bytes: 32_768 },
    /** A server refuses a batch beyond this (`batch_size_fail_threshold`). */
    serverBatchBytes: 51_200,
  },
  redis: {
    /** A command takes 0.1 ms (measured), so one that takes this long will not come. */
    answerMs: 1000,
    failureRatio: 0.5,
    openMs: 10_000,
    /** A server that was away is found within this. */
    longestReconnectMs: 1000,
    /** A peer that vanished without a word is found after this and ten probes, one a second. */
    keepAliveMs: 5000,
    /** For a connection that is given up to end by itself. */
    disconnectMs: 100,
    /** In a cluster: tries of one command, 100 ms apart, while its node is being replaced. */
    redirections: 8,
    redirectionMs: 100,
    /** Keys looked at in one go, half a millisecond. */
    scanned: 1000,
  },
  sessions: {
    /** Sessions that came and went within this time are told together. */
    tellMs: 100,
    /** A killed gateway's sessions are gone after this at most. */
    leaseSeconds: 15,
    renewMs: 5000,
    /** Everybody is written again once in so many renewals: five minutes. */
    round: 60,
    /** Of what nobody has written again. */
    keptSeconds: 900,
  },
  ownWrites: {
    retryMs: 250,
    /** After Redis could not be asked: others may have failed to tell, and tell it within this time. */
    mistrustMs: 2000,
  },
  leases: {
    /** A holder that hangs stops leading by its own clock after 2 s, and somebody else leads after 3.3 s at the latest. */
    leadership: { leaseMs: 3000, renewMs: 600 },
    /** A process that loses the list goes on for 20 s at most; a worker of a dead one is free after 30 s. */
    worker: { leaseMs: 30_000, renewMs: 5000 },
  },
  kafka: {
    connectMs: 3000,
    requestMs: 10_000,
    keepAliveMs: 10_000,
    /** Between tries. */
    firstPauseMs: 100,
    longestPauseMs: 1000,
    /** How long kafkajs tries by itself. */
    patienceMs: 5000,
    /** For a producer or a consumer to end by itself. */
    stopMs: 1000,
    /** Records of one partition that are sent as one; a single one may be larger. */
    batchBytes: 786_432,
    /** What brokers take as one batch (`message.max.bytes`), unless they are told otherwise. */
    brokerBatchBytes: 1_048_588,
    /** A killed member's partitions go to others after this. */
    sessionMs: 6000,
    /** The least that brokers allow (`group.min.session.timeout.ms`). */
    brokerSessionMs: 6000,
    /** How soon a member notices that others came or left. */
    heartbeatMs: 300,
    /** Others wait as long for a member to come back with its partitions laid down. */
    rebalanceMs: 10_000,
    /** For the batch that is being stored when a member leaves. */
    lastBatchMs: 10_000,
    /** A fetch without records ends after this: leaving waits for it. */
    fetchMs: 250,
    /** 700 events or so: small, because a member decodes a fetch in one turn of the event loop. */
    fetchBytes: 262_144,
    /** Between two times that offsets are told to the brokers. */
    commitMs: 1000,
    /** A broker that is started again within it finds the members it had, and they go on at once. */
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
  /** As much is allowed. */
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
    // The last try begins just before all tries are over, and connects first.
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

/** A sentence for each relation that does not hold, with both numbers. */
export const brokenRelations = (budgets: Budgets): readonly string[] =>
  RELATIONS.flatMap(({ what, is, than, most, unit, equal }) => {
    const [value, limit] = [is(budgets), most(budgets)];
    if (value < limit || (equal && value === limit)) return [];
    const said = (n: number) => `${Math.round(n)} ${unit}`;
    const relation = equal ? 'may not be more than' : 'must be less than';
    return [`${what} (${said(value)}) ${relation} ${than} (${said(limit)})`];
  });

/** To be called at start. @throws Error that names every relation that does not hold */
export const checkBudgets = (budgets: Budgets = BUDGETS): void => {
  const broken = brokenRelations(budgets);
  if (broken.length > 0) throw new Error(`These budgets do not fit together: ${broken.join('; ')}.`);
};
