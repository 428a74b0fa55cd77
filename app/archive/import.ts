/** `parley log import`: reads an archive into an empty log, or resumes one that an earlier try began. */

import { either } from 'fp-ts';
import { TURN_BYTES } from '../../commands/turn.ts';
import type { AppendError, AppendRequest, EventLog, StoredEvent } from '../../log/port.ts';
import type { NewParleyEvent } from '../../schemas/events/catalogue.ts';
import type { Vault, VaultRecord } from '../../vault/port.ts';
import type { Archive } from './check.ts';
import { ArchiveRefused, EVENTS, pagesOf, StreamSums, VAULT } from './files.ts';

const PAGE = 1000;
const READ_PAGE = 2000;

export interface ImportOptions {
  readonly archive: Archive;
  readonly log: EventLog;
  readonly vault: Pick<Vault, 'records' | 'restore'>;
  readonly onProgress: (step: 'importing' | 'verifying', done: number, total: number) => void;
}

export interface ImportReport {
  readonly events: number;
  readonly streams: number;
  /** Events that an earlier try had imported. */
  readonly known: number;
}

/** Passes the event on as stored: an older Parley's events keep their form. */
const newEventOf = ({ position: _, ...event }: StoredEvent): NewParleyEvent =>
  ({ ...event, data: JSON.parse(event.data) as unknown }) as NewParleyEvent;

/**
 * Groups consecutive events of one stream, so that the order across streams stays the same, in groups that the log takes at
 * once.
 */
const requestsOf = (events: readonly StoredEvent[], maxAppendBytes: number): AppendRequest[] => {
  const most = Math.min(TURN_BYTES, maxAppendBytes);
  const requests: { stream: string; expected: number; events: NewParleyEvent[] }[] = [];
  let bytes = 0;
  for (const event of events) {
    const last = requests.at(-1);
    const own = Buffer.byteLength(event.data);
    if (last?.stream === event.stream && bytes + own <= most) last.events.push(newEventOf(event));
    else {
      bytes = 0;
      requests.push({ stream: event.stream, expected: event.sequence - 1, events: [newEventOf(event)] });
    }
    bytes += own;
  }
  return requests;
};

const headsOf = async (log: EventLog): Promise<Map<string, number>> => {
  const heads = new Map<string, number>();
  for (let after = ''; ; ) {
    const page = await log.streams({ after, limit: READ_PAGE });
    for (const { stream, sequence } of page) heads.set(stream, sequence);
    if (page.length < READ_PAGE) return heads;
    after = page.at(-1)!.stream;
  }
};

/** Checks that the log holds the beginning of the archive and nothing else. */
const refuseStrangers = async (log: EventLog, last: StoredEvent): Promise<void> => {
  const [there] = await log.readStream({ stream: last.stream, from: last.sequence, limit: 1 });
  if (there?.id !== last.id)
    throw new ArchiveRefused(`the log already holds other events in ${last.stream}: import into an empty one`);
};

/**
 * Runs before anything is written, above all to the vault: the log must hold nothing that the archive does not know.
 */
const refuseOthers = (heads: ReadonlyMap<string, number>, { sums }: Archive): void => {
  for (const [stream, head] of heads)
    if (head > (sums.of(stream)?.sequence ?? 0))
      throw new ArchiveRefused(`the log already holds other events in ${stream}: import into an empty one`);
};

const whose = (record: VaultRecord): string => {
  switch (record.kind) {
    case 'signing-secret':
      return record.kind;
    case 'username':
      return `${record.kind} ${record.name}`;
    case 'sign-in':
      return `${record.kind} ${record.signIn.id}`;
    case 'code':
      return `${record.kind} ${record.code.id}`;
    default:
      return `${record.kind} ${record.userId}`;
  }
};

/** Protects people in this vault from losing a name or a key to someone in the archive. */
const refuseOtherPeople = async (vault: Pick<Vault, 'records'>, folder: string): Promise<void> => {
  const here = new Map<string, string>();
  for await (const record of vault.records())
    if (record.kind !== 'signing-secret') here.set(whose(record), JSON.stringify(record));
  for await (const page of pagesOf<VaultRecord>(folder, VAULT, PAGE))
    for (const record of page) if (here.get(whose(record)) === JSON.stringify(record)) here.delete(whose(record));
  if (here.size > 0) throw new ArchiveRefused('the vault already knows other people: import into an empty one');
};

const reasonToStop = (error: AppendError): string => {
  switch (error.kind) {
    case 'conflict':
      return 'somebody else writes to this log: stop every other process, then import again';
    case 'refused':
      return `the log refuses an event of this archive: ${error.reason}`;
    default:
      return `the log takes nothing now (${error.kind}): import again, it goes on where it stopped`;
  }
};

const append = async (log: EventLog, requests: readonly AppendRequest[]): Promise<void> => {
  const answers = await Promise.all(requests.map((request) => log.append(request)));
  for (const answer of answers) {
    if (either.isRight(answer)) continue;
    throw new ArchiveRefused(reasonToStop(answer.left));
  }
};

const verify = async ({ log, archive, onProgress }: ImportOptions): Promise<void> => {
  const sums = new StreamSums();
  const head = await log.head();
  let count = 0;
  for (let after = 0; after < head; ) {
    const page = await log.rawAll({ after, limit: READ_PAGE });
    for (const event of page.events) sums.add(event);
    count += page.events.length;
    after = page.through;
    onProgress('verifying', Math.min(after, head), head);
  }
  if (count !== archive.events)
    throw new ArchiveRefused(`the log holds ${count} events, the archive ${archive.events}`);
  for (const { stream, sequence, checksum } of archive.sums.all()) {
    const there = sums.of(stream);
    if (there?.sequence !== sequence || there.checksum !== checksum)
      throw new ArchiveRefused(`stream ${stream} is not what the archive says`);
  }
};

/**
 * Imports an archive. Ids, sequences, times and sealed text are kept. Positions are the new log's, which gets a new
 * epoch, so sessions of the old one start again. The result is verified by counts and by checksums of every stream.
 * @throws ArchiveRefused
 */
export const importLog = async (options: ImportOptions): Promise<ImportReport> => {
  const { archive, log, vault, onProgress } = options;
  const { folder, events: total } = archive;
  const heads = await headsOf(log);
  refuseOthers(heads, archive);
  await refuseOtherPeople(vault, folder);
  let done = 0;
  let known = 0;
  // One page is prepared while the previous one is stored. Never store two at once: a failure would change the order
  // across streams.
  let storing: Promise<void> = Promise.resolve();
  for await (const page of pagesOf<StoredEvent>(folder, EVENTS, PAGE)) {
    const missing: StoredEvent[] = [];
    for (const event of page) {
      const head = heads.get(event.stream) ?? 0;
      if (event.sequence === head) await refuseStrangers(log, event);
      if (event.sequence > head) missing.push(event);
    }
    const requests = requestsOf(missing, log.maxAppendBytes);
    await storing;
    storing = append(log, requests);
    // Awaited in the next turn. Without a handler until then, a failure would end the process.
    storing.catch(() => {});
    known += page.length - missing.length;
    done += page.length;
    onProgress('importing', done, total);
  }
  await storing;
  for await (const records of pagesOf<VaultRecord>(folder, VAULT, PAGE)) await vault.restore(records);
  await verify(options);
  await log.renewEpoch();
  return { events: total, streams: archive.sums.size, known };
};
