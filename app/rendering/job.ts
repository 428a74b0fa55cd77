/** What travels to the rendering thread and back. */
// Not from the folder's index: the thread should load this and nothing else.
import { openedLines } from '../../read-api/replay/opening.ts';
import type { ReplayPage } from '../../read-api/replay/page.ts';

/** Key objects can be posted inside a map. */
export interface Job {
  readonly id: number;
  readonly page: ReplayPage;
}

export interface Done {
  readonly id: number;
  readonly lines: Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();

/** Bytes are handed over to another thread, and to the connection, without a copy. */
export const carryOut = ({ id, page }: Job): Done => ({ id, lines: encoder.encode(openedLines(page)) });
