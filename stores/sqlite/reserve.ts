/**
 * Room on the disk that nobody uses until the disk is full. Then it is given up, so that what follows from stored events
 * can still be written, and nothing more is taken until the room is there again.
 */

import { closeSync, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { FULL } from './failures.ts';

/** Enough for the views of some hundred events. */
const RESERVED_BYTES = 1_048_576;

const full = (): Error => Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL', rawCode: FULL });

export class Reserve {
  readonly #file: string;
  #held: boolean;

  constructor(file: string) {
    this.#file = file;
    this.#held = existsSync(file) && statSync(file).size === RESERVED_BYTES;
  }

  /** Takes the room if it is there. To be called every second or so. */
  take(): void {
    if (this.#held) return;
    const file = openSync(this.#file, 'w', 0o600);
    try {
      this.#held = writeSync(file, Buffer.alloc(RESERVED_BYTES)) === RESERVED_BYTES;
    } catch {
      this.#held = false;
    } finally {
      closeSync(file);
      if (!this.#held) rmSync(this.#file, { force: true });
    }
  }

  giveUp(): void {
    this.#held = false;
    rmSync(this.#file, { force: true });
  }

  /** Why nothing more may be taken, as SQLite says it. */
  lack(): Error | undefined {
    return this.#held ? undefined : full();
  }
}
