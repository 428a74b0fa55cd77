/** `parley log export`: writes a log and its vault into a folder. */
import type { LogReader } from '../../log/port.ts';
import { makeDirectory } from '../../stores/directory.ts';
import type { Vault, VaultRecord } from '../../vault/port.ts';
import {
  ArchiveRefused,
  EVENTS,
  LineWriter,
  refuseOccupied,
  STREAMS,
  StreamSums,
  type Summary,
  VAULT,
  writeSummary,
} from './files.ts';

const PAGE = 2000;

export interface ExportOptions {
  readonly log: LogReader;
  readonly vault: Pick<Vault, 'records'>;
  readonly folder: string;
  readonly onProgress: (done: number, total: number) => void;
}

const written = async (folder: string, file: string, lines: Iterable<unknown> | AsyncIterable<unknown>) => {
  const writer = new LineWriter(folder, file);
  for await (const line of lines) await writer.write([line]);
  return writer.end();
};

/**
 * Exports the log as it is at the start, and the vault as it is afterwards, so that the vault knows everybody in the
 * log.
 * @throws ArchiveRefused, UnusableDirectory
 */
export const exportLog = async (options: ExportOptions): Promise<Omit<Summary, 'format'>> => {
  const { log, vault, folder, onProgress } = options;
  const head = await log.head();
  if (head === 0) throw new ArchiveRefused('the log is empty: there is nothing to export');
  makeDirectory(folder);
  refuseOccupied(folder);
  const sums = new StreamSums();
  const events = new LineWriter(folder, EVENTS);
  let count = 0;
  for (let after = 0; after < head; ) {
    const page = await log.rawAll({ after, limit: PAGE });
    const wanted = page.events.filter(({ position }) => position <= head);
    for (const event of wanted) sums.add(event);
    await events.write(wanted);
    count += wanted.length;
    after = page.through;
    onProgress(Math.min(after, head), head);
  }
  const checksums = {
    [EVENTS]: await events.end(),
    [STREAMS]: await written(folder, STREAMS, sums.all()),
    [VAULT]: await written(folder, VAULT, vault.records() as AsyncIterable<VaultRecord>),
  };
  const summary = { epoch: log.epoch, events: count, streams: sums.size, checksums };
  writeSummary(folder, summary);
  return summary;
};
