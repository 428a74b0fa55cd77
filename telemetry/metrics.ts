/** Metrics for Prometheus. Every metric of the server is defined here; each part receives the ones it updates. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const LATENCIES = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Buckets for hold times of milliseconds: finer where that matters. */
const HELD = [
  0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5,
  1,
];

export const createMetrics = () => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `parley_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name: `parley_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name: `parley_${name}`, help, buckets, labelNames, registers });

  return {
    registry,
    appendedEvents: counter('appended_events_total', 'Events appended to the log'),
    appendBatch: histogram(
      'append_batch_events',
      'Events appended in one transaction',
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    ),
    appendSeconds: histogram('append_seconds', 'From handing a batch to the log until it is durable', LATENCIES),
    appendConflicts: counter('append_conflicts_total', 'Batches refused because somebody else appended first'),
    foreignEvents: counter('foreign_events_total', "Events of other programs in the event log's store, left out"),
    unreadableEvents: counter('unreadable_events_total', 'Events of the log that this process could not read'),
    viewPosition: gauge('view_position', 'Position through which a view holds every event', 'view'),
    viewLagEvents: gauge('view_lag_events', 'Positions between the head of the log and a view', 'view'),
    viewLagSeconds: gauge('view_lag_seconds', 'Age of the oldest event that a view does not hold yet', 'view'),
    relayed: counter('relayed_events_total', 'Events copied into the distribution log'),
    relayLeftOut: counter('relay_left_out_total', 'Events too large for the distribution log'),
    recordsRead: counter(
      'distribution_records_read_total',
      'Records read from the distribution log by all groups here: parsed, or shared with a group that had parsed them',
      'how',
    ),
    projected: counter('projected_events_total', 'Events stored in a view by this process', 'view'),
    followed: gauge('followed_partitions', 'Partitions that this process follows', 'group'),
    unconfirmed: gauge(
      'consumer_unconfirmed_seconds',
      'Time since the consumer group last confirmed this process as a member',
      'group',
    ),
    replaced: counter('consumers_replaced_total', 'Consumers that no longer followed and were replaced', 'group'),
    deadLetters: counter('dead_letters_total', 'Events that a view could not take', 'view'),
    projectionBugs: counter('projection_bugs_total', 'Batches that a view tries again because of a bug', 'view'),
    feedFills: counter('feed_fills_total', 'Ranges of the delivery feed that were read from the log', 'reason'),
    feedHeld: histogram('feed_held_seconds', 'From the arrival of an event until it may be delivered', HELD),
    storeAvailable: gauge('store_available', '1 while a server answers this process, 0 during an outage', 'store'),
    storeOutages: counter('store_outages_total', 'Outages of a server as this process saw them', 'store'),
    breakerOpen: gauge('breaker_open', '1 while a server is not asked, because too many requests failed', 'store'),
    sessions: gauge('sessions', 'Identified gateway sessions'),
    sockets: gauge('sockets', 'Open gateway sockets'),
    socketProcessCpu: counter('socket_process_cpu_seconds_total', 'CPU time of a socket process', 'process'),
    socketProcessMemory: gauge('socket_process_resident_bytes', 'Resident memory of a socket process', 'process'),
    socketProcessSockets: gauge(
      'socket_process_sockets',
      'Open gateway sockets that a socket process holds',
      'process',
    ),
    dispatches: counter('dispatches_total', 'Dispatches of events handed to sockets'),
    dispatchBytes: counter('dispatch_bytes_total', 'Bytes handed to sockets'),
    resumes: counter('resumes_total', 'Resumes by outcome', 'outcome'),
    closes: counter('socket_closes_total', 'Sockets closed by the server, by code', 'code'),
    refusals: counter('refusals_total', 'Commands and requests refused, by error', 'error'),
    commandSeconds: histogram('command_seconds', 'Answering commands over sockets (op 100)', LATENCIES, 'outcome'),
    spansDropped: counter('spans_dropped_total', 'Spans that never reached their receiver', 'reason'),
    httpSeconds: histogram('http_seconds', 'Answering HTTP requests', LATENCIES, 'method', 'route', 'status'),
  };
};

export type Metrics = ReturnType<typeof createMetrics>;
