/** For specs: a views file in its own folder, and the contents of its tables as one text. */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { foldOf } from '../../domain/aggregates.ts';
import type { LogReader } from '../../log/port.ts';
import { systemClock } from '../../schemas/clock.ts';
import { query, type Value } from '../../stores/sqlite/statements.ts';
import { type OpenViews, openViews } from './open.ts';

export class ViewsFolder {
  readonly folder = mkdtempSync(join(tmpdir(), 'parley-views-'));
  readonly file = join(this.folder, 'views.db');
  readonly failures: unknown[] = [];

  open(log: LogReader, more: Partial<OpenViews> = {}) {
    return openViews({
      clock: systemClock,
      file: this.file,
      log,
      foldOf,
      onFailure: (failure) => void this.failures.push(failure),
      ...more,
    });
  }

  /** Every table except the one about the file itself. */
  checksums(): Record<string, string> {
    const db = new Database(this.file);
    const names = query<[string]>(db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'views'`).all();
    const sums = names.map(([name]) => {
      const rows = query<readonly Value[]>(db, `SELECT * FROM ${name}`).all();
      const text = rows.map((row) => JSON.stringify([...row])).sort();
      return [name, `${rows.length} rows, ${createHash('sha256').update(text.join('\n')).digest('hex')}`];
    });
    db.close();
    return Object.fromEntries(sums) as Record<string, string>;
  }

  /** Changes the file without the views knowing. */
  tamper(sql: string): void {
    const db = new Database(this.file);
    db.exec(sql);
    db.close();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
