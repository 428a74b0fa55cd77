/**
 * Ids of things that a command creates, derived from the command's key. A retry within ten minutes finds what the first
 * attempt created, also after a restart or on another node.
 */

import { createHmac } from 'node:crypto';
import { REMEMBERED_MS } from '../domain/recent-keys.ts';
import { snowflakeAt } from '../domain/snowflake.ts';
import type { LogReader } from '../log/port.ts';

const digest = (secret: Buffer, key: string, window: number): Buffer =>
  createHmac('sha256', secret).update(`${key}\n${window}`).digest();

/** A snowflake inside the window. Its 22 low bits and its millisecond come from the digest, which keeps keys apart. */
const idOf = (hash: Buffer, window: number): string =>
  snowflakeAt(window * REMEMBERED_MS + (hash.readUInt32BE(0) % REMEMBERED_MS), BigInt(hash.readUInt32BE(4)));

/** Letters and digits that cannot be mistaken for each other. */
const CODE_ALPHABET = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

const codeOf = (hash: Buffer): string => {
  let code = '';
  for (let i = 0; i < 10; i += 1) code += CODE_ALPHABET[hash.readUInt16BE(2 * i) % CODE_ALPHABET.length];
  return code;
};

export class DerivedIds {
  private readonly log: LogReader;
  private readonly secret: Buffer;
  private readonly now: () => number;

  constructor(log: LogReader, secret: Buffer, now: () => number) {
    this.log = log;
    this.secret = secret;
    this.now = now;
  }

  /** The snowflake of the thing that the command creates. */
  id(key: string, streamOf: (id: string) => string): Promise<string> {
    return this.find(key, streamOf, idOf);
  }

  /** The code of an invite. Nobody can guess it without the instance's secret. */
  code(key: string, streamOf: (code: string) => string): Promise<string> {
    return this.find(key, streamOf, codeOf);
  }

  private async find(
    key: string,
    streamOf: (name: string) => string,
    nameOf: (hash: Buffer, window: number) => string,
  ): Promise<string> {
    const window = Math.floor(this.now() / REMEMBERED_MS);
    const nameIn = (one: number) => nameOf(digest(this.secret, key, one), one);
    // The clock of the node that made the first attempt may be ahead of this one's.
    const others = [nameIn(window - 1), nameIn(window + 1)];
    const heads = await Promise.all(others.map((name) => this.log.streamHead(streamOf(name))));
    return others.find((_, index) => heads[index]!.sequence > 0) ?? nameIn(window);
  }
}
