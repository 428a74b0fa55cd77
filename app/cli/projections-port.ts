/** What `parley projections` can be asked for, whichever the profile. */
import type { ViewName } from '../../projections/port.ts';
import type { Config } from '../../schemas/config.ts';
import { say } from './configured.ts';

export type Views = readonly ViewName[];

/** The exit code says so too. */
export class Differs extends Error {
  constructor() {
    super('what is read differs from what the log says: `parley projections rebuild` mends it');
  }
}

export interface ProjectionsCommands {
  status(config: Config): Promise<void>;
  rebuild(config: Config, views: Views): Promise<void>;
  /** @throws Differs */
  verify(config: Config, views: Views): Promise<void>;
  deadLetters(config: Config): Promise<void>;
  /** @param ids as `deadLetters` shows them; none means all */
  retry(config: Config, ids: readonly string[]): Promise<void>;
}

/** Columns as wide as what is in them; numbers to the right. */
export const table = (names: readonly string[], rows: readonly (readonly (string | number)[])[]): void => {
  const widths = names.map((name, i) => Math.max(name.length, ...rows.map((row) => String(row[i]).length)));
  const line = (cells: readonly (string | number)[]) =>
    cells
      .map((cell, i) => (typeof cell === 'number' ? String(cell).padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  say(line(names));
  for (const row of rows) say(line(row));
};
