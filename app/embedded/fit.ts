/**
 * Whether the parts of a data folder belong together. Each remembers the others: the log notes its vault and the vault's
 * revision with every append; the vault notes the log's epoch, its position once a second, and the identity of its file;
 * the views know how far they have followed.
 */

import { statSync } from 'node:fs';
import type { VaultNote } from '../../log/sqlite/notes.ts';
import { withoutTheRest } from '../../log/sqlite/open.ts';

interface Place {
  readonly epoch: string;
  readonly position: number;
}

export interface Parts {
  readonly log: {
    readonly epoch: string;
    readonly formerEpoch: string | undefined;
    readonly head: number;
    readonly vault: VaultNote | undefined;
  };
  /** Undefined: there is none. */
  readonly vault: { readonly note: VaultNote; readonly remembered: Place | undefined } | undefined;
  /** How far the views have followed the log; undefined: there are none. */
  readonly views: Place | undefined;
}

/** The data folder is not what was there before; the message says which part, and what to do. */
export class UnfitFolder extends Error {
  constructor(directory: string, wrong: readonly string[]) {
    super(
      `the data folder ${directory} is not whole:\n${wrong.map((line) => `  ${line}`).join('\n')}\n` +
        `Put all files of one backup in place: log.db, vault.db, each with its -wal file, and signing.key (docs/operating.md). ${withoutTheRest(directory)}`,
    );
    this.name = 'UnfitFolder';
  }
}

export const LOG_MISSING = 'log.db is missing, and the other files show that there was one: it holds everything said.';
export const VAULT_MISSING =
  'vault.db is missing: without it no text can be read and nobody can sign in, and the next to register would administer the server.';

const behind = (head: number, witness: string, position: number): string =>
  `log.db ends at position ${head}, and ${witness} position ${position}: log.db is older, or its journal log.db-wal was lost, and the last ${position - head} events are missing.`;

/** @returns a sentence for each part that is missing, older than the others or foreign to them */
export const misfits = ({ log, vault, views }: Parts): readonly string[] => {
  if (vault === undefined) return log.head > 0 ? [VAULT_MISSING] : [];
  const { note, remembered } = vault;
  if (log.vault !== undefined && log.vault.id !== note.id)
    return ['vault.db and log.db are not of the same installation: one of them was replaced.'];
  const wrong: string[] = [];
  if (log.vault !== undefined && log.vault.revision > note.revision)
    wrong.push(
      'vault.db is older than log.db: keys and passwords since then are missing, and texts sealed under such a key cannot be read.',
    );
  const known = [log.epoch, log.formerEpoch];
  if (remembered !== undefined && remembered.position > 0 && !known.includes(remembered.epoch))
    wrong.push(
      'log.db is not the log that vault.db was used with: it is older than a restore or of another installation.',
    );
  if (remembered?.epoch === log.epoch && remembered.position > log.head)
    wrong.push(behind(log.head, 'vault.db remembers', remembered.position));
  else if (views?.epoch === log.epoch && views.position > log.head)
    wrong.push(behind(log.head, 'views.db has followed it to', views.position));
  return wrong;
};

/**
 * Identifies a file, but not its contents. A copy differs, and so does one that was written over it while it was closed.
 * @param closed whether nobody has it open for writing, so that its time of change stays
 */
export const identityOf = (file: string, closed: boolean): string => {
  const { dev, ino, birthtimeNs, ctimeNs } = statSync(file, { bigint: true });
  return [dev, ino, birthtimeNs, ...(closed ? [ctimeNs] : [])].join(' ');
};

/** @param noted what `identityOf` answered when the file was last used */
export const isCopy = (file: string, noted: string): boolean => {
  const wasClosed = noted.split(' ').length > 3;
  return noted !== identityOf(file, wasClosed);
};
