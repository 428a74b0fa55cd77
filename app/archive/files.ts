/**
 * An archive: a folder that holds a log and its vault in a form that other stores can import. It consists of lines of
 * JSON: every event in position order as it is stored (sealed text stays sealed), every stream with its checksum, and
 * every record of the vault. The vault opens the sealed text, so only the owner may read the folder.
 */

import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import * as t from 'io-ts';
import type { StoredEvent } from '../../log/port.ts';
import { integer, wrongIn } from '../../schemas/codecs.ts';
import { fileReason } from '../../stores/file-failures.ts';
import { reasonOf } from '../../stores/guard.ts';

const FORMAT = 1;

export const EVENTS = 'events.ndjson';
export const STREAMS = 'streams.ndjson';
export const VAULT = 'vault.ndjson';
export const SUMMARY = 'archive.json';

export interface Summary {
  readonly format: number;
  /** The epoch of the log that it was made from. */
  readonly epoch: string;
  readonly events: number;
  readonly streams: number;
  /** Of each file's bytes. Absent in archives of former versions. */
  readonly checksums?: Readonly<Record<string, string>>;
}

/** Of the bytes of a file. */
const fileHash = (): Hash => createHash('sha256');

export interface StreamSum {
  readonly stream: string;
  readonly sequence: number;
  readonly checksum: string;
}

export class ArchiveRefused extends Error {}

/** The refusal of an archive that is not as `parley log export` wrote it. */
export const damaged = (place: string, what: string): ArchiveRefused =>
  new ArchiveRefused(`the archive is at fault, and nothing was imported: ${place}: ${what}`);

/** Writes lines as fast as the disk takes them. */
export class LineWriter {
  private readonly file;
  private readonly stream;
  private readonly hash = fileHash();

  constructor(folder: string, file: string) {
    this.file = join(folder, file);
    this.stream = createWriteStream(this.file, { mode: 0o600, flush: true });
    // Without a listener an error ends the process. The next call throws it.
    this.stream.on('error', () => {});
  }

  /** @throws ArchiveRefused, as `end` does */
  async write(lines: readonly unknown[]): Promise<void> {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    this.hash.update(text);
    await this.refusing(async () => {
      if (this.stream.errored) throw this.stream.errored;
      if (!this.stream.write(text)) await once(this.stream, 'drain');
    });
  }

  /** @returns the file's checksum */
  async end(): Promise<string> {
    this.stream.end();
    await this.refusing(() => finished(this.stream));
    return this.hash.digest('base64');
  }

  private async refusing(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (failure) {
      throw new ArchiveRefused(`${this.file} cannot be written: ${fileReason(failure)}`);
    }
  }
}

/**
 * Reads a file's lines.
 * @returns its checksum
 * @throws ArchiveRefused when there is no such file, or it cannot be read
 */
export async function* linesOf(folder: string, file: string): AsyncGenerator<string, string> {
  const path = join(folder, file);
  if (!existsSync(path)) throw new ArchiveRefused(`${folder} holds no whole archive: ${file} is missing`);
  const input = createReadStream(path);
  const hash = fileHash();
  input.on('data', (chunk) => hash.update(chunk));
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (failure) {
    throw new ArchiveRefused(`${path} cannot be read: ${fileReason(failure)}`);
  } finally {
    input.destroy();
  }
  return hash.digest('base64');
}

/** @throws ArchiveRefused with the place */
export const jsonOf = (text: string, place: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (failure) {
    throw damaged(place, `is not JSON (${reasonOf(failure)})`);
  }
};

/** Reads the lines of a checked file in pages. */
export async function* pagesOf<Line>(folder: string, file: string, size: number): AsyncGenerator<readonly Line[]> {
  let page: Line[] = [];
  for await (const line of linesOf(folder, file)) {
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
  const there = readdirSync(folder);
  if (there.includes(SUMMARY))
    throw new ArchiveRefused(`${folder} holds an archive already: remove it, or name another folder`);
  const other = there.find((name) => ![EVENTS, STREAMS, VAULT].includes(name));
  if (other !== undefined)
    throw new ArchiveRefused(`${folder} holds something else (${other}): name a folder that is empty or not there yet`);
};

const Count = integer(0, Number.MAX_SAFE_INTEGER);
const Summary = t.intersection([
  t.type({ format: t.literal(FORMAT), epoch: t.string, events: Count, streams: Count }),
  t.partial({ checksums: t.record(t.string, t.string) }),
]);

/** The summary is written last, so a folder that has one is a complete archive. @throws ArchiveRefused */
export const readSummary = (folder: string): Summary => {
  const file = join(folder, SUMMARY);
  if (!existsSync(folder)) throw new ArchiveRefused(`there is no folder ${folder}`);
  if (!statSync(folder).isDirectory()) throw new ArchiveRefused(`${folder} is a file; an archive is a folder`);
  if (!existsSync(file)) throw new ArchiveRefused(`${folder} holds no whole archive: export into it (again)`);
  const summary = jsonOf(readFileSync(file, 'utf8'), file);
  const format = (summary as Partial<Summary> | null)?.format;
  if (typeof format === 'number' && format !== FORMAT)
    throw new ArchiveRefused(`${folder} has format ${format}; this Parley knows format ${FORMAT}`);
  const wrong = wrongIn(Summary, summary);
  if (wrong !== undefined) throw damaged(file, wrong);
  return summary as Summary;
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
