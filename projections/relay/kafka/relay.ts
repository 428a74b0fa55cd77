import type { LogReader } from '../../../log/port.ts';
import { type DistributionLogger, type Relay, type RelayCheckpoints, WrongPartitions } from '../port.ts';
import { RunningRelay } from '../relay.ts';
import { kafkaOf } from './connection.ts';
import { Sender } from './sender.ts';

export interface RelayOptions {
  readonly log: LogReader;
  /** `parseKafkaUrl` says which. */
  readonly url: string;
  readonly namespace: string;
  readonly partitions: number;
  readonly checkpoints: RelayCheckpoints;
  readonly logger: DistributionLogger;
  /** Told of every acknowledged batch. */
  readonly onRelayed?: (events: number, through: number) => void;
  /** Told once when it cannot go on: WrongPartitions. Whatever may pass is waited for. */
  readonly onFailure: (failure: unknown) => void;
}

/**
 * Begins to copy the log into the topic `<namespace>-events`. Returns at once, and waits for servers that are not there.
 * @throws TypeError when the URL is none.
 */
export const startRelay = (options: RelayOptions): Relay => {
  const { log, url, namespace, partitions, checkpoints, logger, onRelayed, onFailure } = options;
  const sender = new Sender(kafkaOf(url, `${namespace}-relay`, logger), namespace, partitions);
  return new RunningRelay({
    log,
    partitions,
    checkpoints,
    logger,
    send: (records) => sender.send(records),
    close: () => sender.close(),
    isFinal: (failure) => failure instanceof WrongPartitions,
    ...(onRelayed && { onRelayed }),
    onFailure,
  });
};
