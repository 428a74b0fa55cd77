/** Reads an archive from end to end before anything of it is imported: a wrong one is refused, and nothing has changed. */

import { join } from 'node:path';
import * as t from 'io-ts';
import type { StoredEvent } from '../../log/port.ts';
import { checkedText, integer, wrongIn } from '../../schemas/codecs.ts';
import { decodeStored } from '../../schemas/events/catalogue.ts';
import { reasonOf } from '../../stores/guard.ts';
import type { VaultRecord } from '../../vault/port.ts';
import {
  damaged,
  EVENTS,
  jsonOf,
  linesOf,
  readSummary,
  STREAMS,
  type StreamSum,
  StreamSums,
  SUMMARY,
  VAULT,
} from './files.ts';

/** How often progress is told, in events. */
const TELL_EVERY = 1000;

/** An archive that was checked. */
export interface Archive {
  readonly folder: string;
  readonly events: number;
  readonly sums: StreamSums;
}

const Count = integer(1, Number.MAX_SAFE_INTEGER);
const FromZero = integer(0, Number.MAX_SAFE_INTEGER);
const orNull = t.union([t.string, t.null]);

const Event = t.type({
  position: Count,
  stream: t.string,
  sequence: Count,
  type: t.string,
  schema: Count,
  time: FromZero,
  id: t.string,
  actor: t.string,
  key: orNull,
  correlationId: t.string,
  causationId: orNull,
  traceparent: orNull,
  data: t.string,
});

const Sum = t.type({ stream: t.string, sequence: Count, checksum: t.string });

const SECRET_BYTES = 32;
/** Keys, the signing secret and hashes of token secrets are of one length. */
const Secret = checkedText('Secret', (given) => {
  const bytes = typeof given === 'string' ? Buffer.from(given, 'base64') : undefined;
  return bytes?.length === SECRET_BYTES && bytes.toString('base64') === given
    ? undefined
    : `Must be ${SECRET_BYTES} bytes in base64.`;
});

const vaultRecords: Readonly<Record<VaultRecord['kind'], t.Mixed>> = {
  'signing-secret': t.type({ secret: Secret }),
  username: t.type({ name: t.string, userId: t.string, confirmed: t.boolean }),
  password: t.type({ userId: t.string, hash: t.string }),
  'token-secret': t.type({ userId: t.string, hash: Secret }),
  key: t.type({ userId: t.string, key: Secret }),
  'sign-in': t.type({
    signIn: t.type({
      ...{ id: t.string, userId: t.string, generation: FromZero, device: t.string },
      ...{ created: FromZero, lastUsed: FromZero, expires: FromZero },
    }),
  }),
  code: t.type({
    code: t.type({
      ...{ id: t.string, kind: t.keyof({ registration: null, 'password-reset': null }), userId: orNull },
      ...{
        madeBy: t.string,
        maxUses: FromZero,
        created: FromZero,
        expires: t.union([FromZero, t.null]),
        uses: FromZero,
      },
    }),
    usedBy: t.array(t.string),
  }),
};

const wrongInRecord = (record: unknown): string | undefined => {
  const kind = wrongIn(t.type({ kind: t.keyof(vaultRecords) }), record);
  return kind ?? wrongIn(vaultRecords[(record as VaultRecord).kind], record);
};

/**
 * @returns the file's checksum
 * @throws ArchiveRefused with the file and the line, for what is not JSON and for whatever `check` finds wrong
 */
const checkLines = async <Line>(
  folder: string,
  file: string,
  check: (line: Line) => string | undefined,
): Promise<string> => {
  const lines = linesOf(folder, file);
  for (let count = 1; ; count += 1) {
    const next = await lines.next();
    if (next.done) return next.value;
    const place = `${join(folder, file)}, line ${count}`;
    const wrong = check(jsonOf(next.value, place) as Line);
    if (wrong !== undefined) throw damaged(place, wrong);
  }
};

const wrongInEvent = (event: StoredEvent, sums: StreamSums, position: number): string | undefined => {
  // `is` first: it is many times faster than finding out what is wrong.
  if (!Event.is(event)) return wrongIn(Event, event);
  const { stream, sequence } = event;
  const last = sums.of(stream)?.sequence ?? 0;
  if (sequence !== last + 1) return `${stream} goes on with sequence ${sequence} after ${last}`;
  if (event.position <= position) return `position ${event.position} comes after ${position}`;
  try {
    decodeStored(event);
  } catch (failure) {
    return reasonOf(failure);
  }
  return undefined;
};

const wrongInSum = (sum: StreamSum, sums: StreamSums): string | undefined => {
  const form = wrongIn(Sum, sum);
  if (form !== undefined) return form;
  const { stream, sequence, checksum } = sum;
  const found = sums.of(stream)?.sequence ?? 0;
  if (found !== sequence) return `${stream} ends with sequence ${sequence}, and in ${EVENTS} with ${found}`;
  return sums.of(stream)?.checksum === checksum
    ? undefined
    : `the events of ${stream} in ${EVENTS} have another checksum`;
};

/**
 * Checks every line, every sequence and every checksum.
 * @throws ArchiveRefused with the file, the line and what is wrong with it
 */
export const checkArchive = async (
  folder: string,
  onProgress: (done: number, total: number) => void,
): Promise<Archive> => {
  const { events: total, streams, checksums = {} } = readSummary(folder);
  const isChanged = (file: string, found: string): boolean => found !== (checksums[file] ?? found);
  const changed = (file: string) => damaged(join(folder, file), 'was changed since: it has another checksum');
  const sums = new StreamSums();
  let events = 0;
  let position = 0;
  const eventsFound = await checkLines<StoredEvent>(folder, EVENTS, (event) => {
    const wrong = wrongInEvent(event, sums, position);
    if (wrong !== undefined) return wrong;
    sums.add(event);
    position = event.position;
    events += 1;
    if (events % TELL_EVERY === 0 || events === total) onProgress(events, total);
    return undefined;
  });
  const told = new Set<string>();
  const streamsFound = await checkLines<StreamSum>(folder, STREAMS, (sum) => {
    told.add(sum.stream);
    const wrong = wrongInSum(sum, sums);
    // The line is right then, and names the stream.
    if (wrong !== undefined && isChanged(EVENTS, eventsFound)) throw damaged(join(folder, EVENTS), wrong);
    return wrong;
  });
  for (const { stream } of sums.all()) if (!told.has(stream)) throw damaged(join(folder, STREAMS), `lacks ${stream}`);
  if (isChanged(EVENTS, eventsFound)) throw changed(EVENTS);
  if (isChanged(STREAMS, streamsFound)) throw changed(STREAMS);
  if (events !== total || sums.size !== streams)
    throw damaged(
      join(folder, EVENTS),
      `holds ${events} events of ${sums.size} streams, and ${SUMMARY} tells of ${total} of ${streams}`,
    );
  const kinds = new Set<string>();
  const vaultFound = await checkLines<VaultRecord>(folder, VAULT, (record) => {
    const wrong = wrongInRecord(record);
    if (wrong === undefined) kinds.add(record.kind);
    return wrong;
  });
  if (isChanged(VAULT, vaultFound)) throw changed(VAULT);
  if (!kinds.has('signing-secret')) throw damaged(join(folder, VAULT), 'lacks the signing secret');
  return { folder, events, sums };
};
