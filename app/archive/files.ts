/**
 * An archive: a folder that holds a log and its vault in a form that other stores can import. It consists of lines of
 * JSON: every event in position order as it is stored (sealed text stays sealed), every stream with its checksum, and
 * every record of the vault. The vault opens the sealed text, so only the owner may read the folder.
 */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import type { StoredEvent } from '../../log/port.ts';

const FORMAT = 1;

export const EVENTS = 'events.ndjson';
export const STREAMS = 'streams.ndjson';
export const VAULT = 'vault.ndjson';
const SUMMARY = 'archive.json';

export interface Summary {
  readonly format: number;
  /** The epoch of the log that it was made from. */
  readonly epoch: string;
  readonly events: number;
  readonly streams: number;
}

export interface StreamSum {
  readonly stream: string;
  readonly sequence: number;
  readonly checksum: string;
}

export class ArchiveRefused extends Error {}

/** Writes lines as fast as the disk takes them. */
export class LineWriter {
  private readonly stream;

  constructor(folder: string, file: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.stream = createWriteStream(join(folder, file), { mode: 0o600, flush: true });
  }

  async write(lines: readonly unknown[]): Promise<void> {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    if (!this.stream.write(text)) await once(this.stream, 'drain');
  }

  async end(): Promise<void> {
    this.stream.end();
    await finished(this.stream);
  }
}

/** Reads a file's lines in pages. */
export async function* pagesOf<Line>(folder: string, file: string, size: number): AsyncGenerator<readonly Line[]> {
  const lines = createInterface({ input: createReadStream(join(folder, file)), crlfDelay: Number.POSITIVE_INFINITY });
  let page: Line[] = [];
  for await (const line of lines) {
    page.push(JSON.parse(line) as Line);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

export const writeSummary = (folder: string, summary: Omit<Summary, 'format'>): void =>
  writeFileSync(join(folder, SUMMARY), `${JSON.stringify({ format: FORMAT, ...summary })}\n`, {
    mode: 0o600,
    flush: true,
  });

/** Checks that the folder is empty or holds only what an unfinished export left. @throws ArchiveRefused */
export const refuseOccupied = (folder: string): void => {
  if (!existsSync(folder)) return;
  const there = readdirSync(folder);
  if (there.includes(SUMMARY))
    throw new ArchiveRefused(`${folder} holds an archive already: remove it, or name another folder`);
  const other = there.find((name) => ![EVENTS, STREAMS, VAULT].includes(name));
  if (other !== undefined)
    throw new ArchiveRefused(`${folder} holds something else (${other}): name a folder that is empty or not there yet`);
};

/** The summary is written last, so a folder that has one is a complete archive. @throws ArchiveRefused */
export const readSummary = (folder: string): Summary => {
  const file = join(folder, SUMMARY);
  if (!existsSync(file)) throw new ArchiveRefused(`${folder} holds no whole archive: export into it (again)`);
  const summary = JSON.parse(readFileSync(file, 'utf8')) as Summary;
  if (summary.format !== FORMAT)
    throw new ArchiveRefused(`${folder} has format ${summary.format}; this Parley knows format ${FORMAT}`);
  return summary;
};

/** A checksum for each stream over its events in order, without their positions, which belong to the log. */
export class StreamSums {
  private readonly sums = new Map<string, { sequence: number; checksum: string }>();

  add({ stream, sequence, ...event }: StoredEvent): void {
    const former = this.sums.get(stream)?.checksum ?? '';
    const { id, type, schema, time, actor, key, correlationId, causationId, traceparent, data } = event;
    const said = [sequence, id, type, schema, time, actor, key, correlationId, causationId, traceparent];
    const checksum = createHash('sha256').update(former).update(JSON.stringify(said)).update(data).digest('base64');
    this.sums.set(stream, { sequence, checksum });
  }

  get size(): number {
    return this.sums.size;
  }

  of(stream: string): { readonly sequence: number; readonly checksum: string } | undefined {
    return this.sums.get(stream);
  }

  /** Sorted by name. */
  *all(): Generator<StreamSum> {
    for (const stream of [...this.sums.keys()].sort()) yield { stream, ...this.sums.get(stream)! };
  }
}
