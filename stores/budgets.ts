/**
 * Limits for each store: milliseconds, bytes, counts. Relations between dependent limits are in `budget-relations.ts` and
 * checked at start.
 */

export const BUDGETS = {
  postgres: {
    /** An answer takes 1 ms (measured); a server that does not answer within this is treated as gone. */
    log: { connectMs: 3000, answerMs: 10_000, connections: 8, retrySeconds: 2 },
    vault: { connectMs: 3000, answerMs: 5000, connections: 8, retrySeconds: 2 },
    /** A restarted server is back within seconds. */
    views: { connectMs: 5000, answerMs: 5000, connections: 8, failureRatio: 0.5, openMs: 5000 },
    append: {
      /** For one answer to one commit, which takes some milliseconds. After that the server ends it, and it is retried. */
      answerMs: 4000,
      /** How long one commit is retried. After that its writers must try again. */
      triedMs: 9000,
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
    /** Largest message that a server accepts. */
    serverMessageBytes: 1_073_741_823,
  },
  log: {
    /** Most events and bytes in one transaction; more wait for the next. A batch larger than that goes alone. */
    commit: { count: 5000, bytes: 16_777_216 },
    /** Largest message of a person: text and embeds, sealed, as JSON. */
    messageBytes: 98_304,
    /** What a node keeps of its own commits for the relay, if that runs there: what comes within some of its pages. */
    ownCommits: { count: 5000, bytes: 16_777_216 },
    /** Most events in one answer of a log. */
    read: 10_000,
    /** Bytes of events at which an answer of a log ends: a thousand of the usual ones have a tenth of it. */
    readBytes: 4_194_304,
  },
  sqlite: {
    /** Most writes and bytes in one transaction. */
    transaction: { count: 1000, bytes: 1_048_576 },
    /** A write changes a row or two of less than 1 KB. */
    writeBytes: 1024,
    /** After which a client may ask again when the disk is full: somebody has to make room. */
    retrySeconds: 30,
    /**
     * The views take what is delivered already after this, or once it is so many events: some milliseconds. Most of what a
     * small transaction costs is its own.
     */
    gathered: { ms: 10, events: 250 },
  },
  vault: {
    /** How long a reserved name may belong to another node's registration in progress. */
    takeOverAfterMs: 35_000,
    /** Calls to the vault between the reservation of a name and the append that uses it. */
    answersOfARegistration: 3,
  },
  kurrentdb: {
    /** Data in one append that every server takes by default (`MaxAppendSize` of 23.10 to 25.0). */
    serverAppendBytes: 1_048_576,
    /** Largest message that a server takes, whatever its settings: an append with ids, types and metadata. */
    serverMessageBytes: 16_777_216,
    /** A server gives up a write after this and reports it. */
    serverWriteMs: 2000,
    /** For one answer to one append. After that its outcome is unknown and it is retried. */
    answerMs: 2500,
    /** From an append to its answer, whatever happens meanwhile. After that its writer must try again. */
    triedMs: 8000,
    /** Between two items of a read. After that the server counts as gone, and the next read has a new connection. */
    silenceMs: 2000,
    pauseMs: 100,
    /** A tail whose batch had fewer events waits so long for the next. Most of what an event costs is its share of a batch. */
    gathered: { ms: 1, events: 100 },
    /** Before a tail whose subscription has ended subscribes again. */
    subscribeAgainMs: 250,
    /** From the moment a connection dies without a word until appends, reads and tails work again over another. */
    recoveredMs: 5000,
    retrySeconds: 2,
    /** Most streams with an append under way. */
    streams: 64,
    /** How far ahead the deadline of an append is: a week. The server has a limit of its own, and its clock may be wrong. */
    deadlineMs: 604_800_000,
    /** How long the first append on a new connection goes alone. */
    proofMs: 500,
    /** Between two signs of life of the connection for appends, and how long one may take. */
    aliveMs: 2500,
    /** For the answer of a node that is asked who leads its cluster. */
    gossipMs: 1000,
    /** A listing of streams that reads nothing for this long gives up; then the caller must ask again. */
    listing: { waitMs: 20_000, retrySeconds: 10 },
  },
  cassandra: {
    /** A page takes 1 ms (measured), so one this late will not come. */
    answerMs: 5000,
    failureRatio: 0.5,
    openMs: 5000,
    /**
     * A change of tables flushes them on every node, and on a busy machine its answer takes long. Before each other try,
     * the server is asked whether the change has happened.
     */
    schema: { answerMs: 30_000, triedMs: 120_000, pauseMs: 250 },
    /** The driver's own pauses grow to ten minutes, so a server back after a long outage would stay unused as long. */
    reconnectMs: 1000,
    /** Checkpoints written together; one takes about 60 bytes. */
    batch: { count: 500, bytes: 32_768 },
    /** A server refuses a batch beyond this (`batch_size_fail_threshold`). */
    serverBatchBytes: 51_200,
    /** Rows of one partition in one request: 30 KB. More gains nothing, and a server keeps a whole request in memory. */
    piece: 64,
    /** Largest write to one partition that a server accepts: half a segment of its commit log. */
    serverMutationBytes: 16_777_216,
    /** Rows of several partitions in one request. */
    pack: 10,
    /** A server warns about batches of more partitions (`unlogged_batch_across_partitions_warn_threshold`). */
    serverPartitions: 10,
    /** Requests in flight. Measured: 64 saturate one node, and three nodes share the rest. */
    inFlight: 96,
    /** Most requests in flight that the driver allows on one connection. */
    driverInFlight: 2048,
    /** Progress rows of channels, held in memory until they are sent in packs. One takes about 100 bytes. */
    progress: { atOnce: { count: 10_000, bytes: 1_048_576 }, rowBytes: 128 },
  },
  redis: {
    /** A command takes 0.1 ms (measured), so an answer this late will not come. */
    answerMs: 1000,
    failureRatio: 0.5,
    openMs: 2000,
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
    /** Most keys and values of one script; Lua may refuse more. */
    scriptValues: 7000,
    /** Most bytes that may wait for a subscriber for a minute by default (`client-output-buffer-limit pubsub`). */
    serverOutputBytes: 8_388_608,
  },
  sessions: {
    /** Session starts and ends within this time are reported together. */
    tellMs: 100,
    /** Most people whose sessions are reported at once. */
    together: 500,
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
    /** Most writes and bytes in one call. */
    batch: { count: 500, bytes: 65_536 },
    /** A key and its position. */
    entryBytes: 100,
  },
  sessionStart: {
    /** How long a new session, or an event that reveals a guild, waits for the views before it fails. */
    heldMs: 2000,
    /** Heads that take longer are read from the log instead. */
    headsMs: 250,
  },
  outages: {
    /** How long a server fails to answer before operators are told, and how long if it has just come back. */
    tellMs: 1000,
    againMs: 30_000,
  },
  generations: {
    /** How often every process looks which generation of a view is read. */
    lookMs: 500,
    /** How long a replaced generation is still written: until every reader has noticed. */
    overlapMs: 10_000,
    /** How long the next generation may take to catch up with the current one; then it is tried again. */
    takenOverMs: 60_000,
  },
  progress: {
    /** How often a view's store is asked while somebody waits. Only updates that were lost are learned this late. */
    lookMs: 250,
    /**
     * Updates of all views within this time are sent together. The own node learns of them at once, and a message of Redis
     * takes as much of a cold thread as handing over the event itself.
     */
    togetherMs: 10,
    /** For the subscription at the start. Redis may become available later. */
    startMs: 1000,
  },
  /** How long a tool that needs the vault alone waits for another process to end, and how often it looks. */
  claim: { goneMs: 2000, lookMs: 200 },
  lateViews: {
    /** How long a view is waited for. Then its readers take what it lacks from the log, until it has caught up. */
    lateMs: 1500,
    /** Between two looks whether its store is gone. */
    lookMs: 250,
    /** Most of a channel's events that a reader looks through for what its view lacks. Beyond that it would take too long. */
    looked: { events: 20_000, bytes: 33_554_432 },
    /** Most channels of a list whose pins are looked for. */
    pinnedChannels: 20,
  },
  guildViews: {
    /**
     * Most changes, and most bytes of them, that a node keeps while the views are late. One takes 100 to 700 bytes.
     * Beyond that, rights cannot be established until the views have caught up.
     */
    recent: { count: 50_000, bytes: 33_554_432 },
  },
  feed: {
    /** How long an event may be under way before it is read from the log, and how often the head of the log is read. */
    staleMs: 250,
    lookMs: 125,
    /** The same while the partition moves: it is late, and reading the log would feed the overload. */
    movingMs: 2000,
    /** How long a subscription may take. After that the log supplies what it would have brought. */
    subscribeMs: 1000,
    /** Most events that may wait for the watermark or the listener. Later ones are dropped and read from the log. */
    pending: { count: 50_000, bytes: 67_108_864 },
    /** Between attempts to subscribe again to the manifests of a silent partition. */
    askAgainMs: 10_000,
    /** Most events in one manifest: a gateway takes them in one go, and its sockets wait meanwhile. */
    events: 250,
    /** Of these events together. */
    bytes: 1_048_576,
    /**
     * What a process has published of a partition and Redis has not brought back. It never brings what is in channels that nobody
     * there listens to, and nothing while it is gone. Some manifests with their pulses.
     */
    underWay: { count: 1000, bytes: 4_194_304 },
  },
  /** Events of a partition that wait for a tick to vouch for them. Beyond that the range is read from the log. */
  unvouched: { count: 4000, bytes: 16_777_216 },
  /** Records of the distribution log that a process keeps parsed for its other groups: one fetch of eight partitions. */
  parsedRecords: { bytes: 2_097_152 },
  relay: {
    /** Events. Measured with kafkajs: 500 give 31-45k events/s and 1,000 give 36-55k. More gain little and add latency. */
    page: 1000,
    /**
     * Minimum time between pages, unless a page is full: a page of ten events costs the brokers and all followers almost as
     * much as one of a hundred. The first events after an idle time are sent at once.
     */
    gatherMs: 10,
    /**
     * The most that a partition without events waits for a tick of its own. Until then others' ticks say that it has none.
     * Its checkpoints in the stores are late by this.
     */
    tickMs: 250,
    /** Time between idle ticks, and between checkpoints: the most that a restart repeats, beside `tickMs`. */
    idleMs: 1000,
    /** For the send that is under way when the relay stops. */
    stopMs: 1000,
    longestPauseMs: 1000,
  },
  leases: {
    /**
     * A holder that hangs stops leading by its own clock after 2 s, and another process leads after 3.3 s at the
     * latest.
     */
    leadership: { leaseMs: 3000, renewMs: 600 },
    /** A process that cannot renew goes on for 20 s at most; the worker of a dead one is free after 30 s. */
    worker: { leaseMs: 30_000, renewMs: 5000 },
    /** For one answer about a leadership. A connection that answers later must not cost the lease. */
    answerMs: 1000,
    /** Another process leads within this, however the former leader ended. */
    handOverMs: 5000,
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
    /** After this a producer that has not sent its records is replaced, whatever it waits for. */
    sendMs: 30_000,
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
    /** A member whose wall clock is set back by more than this is replaced. */
    setBackMs: 2000,
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
