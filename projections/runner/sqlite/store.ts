import type { ParleyEvent } from '../../../schemas/events/index.ts';
import { type Connection, command, query } from '../../sqlite/statements.ts';
import type { DeadLetter, FailureKind, ViewStore } from '../port.ts';
import { DeadLetters } from './dead-letters.ts';
import { closeFile, condemnFile } from './file.ts';
import type { Projection } from './projections.ts';

const DAMAGED = /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/;
const TRANSIENT = /^SQLITE_(FULL|IOERR|READONLY|BUSY|LOCKED|NOMEM|CANTOPEN)/;

/** One connection for writing and reading: a transaction begins and ends in one go, so no reader ever runs inside it. */
export class SqliteViewStore implements ViewStore {
  checkpoint: number;
  processesThrough: number;

  private readonly file: string;
  private readonly db: Connection;
  private readonly projections: readonly Projection[];
  private readonly letters: DeadLetters;
  private readonly mark: ReturnType<typeof command>;
  private readonly begin: ReturnType<typeof command>;
  private readonly end: ReturnType<typeof command>;

  constructor(file: string, db: Connection, projections: readonly Projection[]) {
    this.file = file;
    this.db = db;
    this.projections = projections;
    this.letters = new DeadLetters(db);
    this.mark = command(db, 'UPDATE views SET checkpoint = ?, processes = ?');
    this.begin = command(db, 'BEGIN IMMEDIATE');
    this.end = command(db, 'COMMIT');
    [this.checkpoint, this.processesThrough] = query<[number, number]>(
      db,
      'SELECT checkpoint, processes FROM views',
    ).get()!;
  }

  get deadLetters(): number {
    return this.letters.count;
  }

  async commit(events: readonly ParleyEvent[], processesThrough: number): Promise<void> {
    for (const { name, prepare } of this.projections) {
      const loading = prepare?.(this.letters.followed(name, events));
      if (loading !== undefined) await loading;
    }
    this.transaction(events.at(-1)!.position, processesThrough, () => {
      for (const projection of this.projections) projection.apply(this.letters.followed(projection.name, events));
    });
  }

  async commitWithout(event: ParleyEvent, processesThrough: number, attempts: number): Promise<readonly DeadLetter[]> {
    const unready = new Map<Projection, unknown>();
    for (const projection of this.projections) {
      try {
        await projection.prepare?.(this.letters.followed(projection.name, [event]));
      } catch (failure) {
        unready.set(projection, failure);
      }
    }
    const letters: DeadLetter[] = [];
    this.transaction(event.position, processesThrough, () => {
      for (const projection of this.projections) {
        const failure = unready.get(projection) ?? this.applyAlone(projection, event);
        if (failure === undefined) continue;
        const { stream, position } = event;
        letters.push({ projection: projection.name, stream, position, error: String(failure), attempts });
      }
      for (const letter of letters) this.letters.write(letter);
    });
    this.letters.committed(letters);
    return letters;
  }

  /** @returns why the projection does not take the event, after which nothing of its attempt is left. */
  private applyAlone(projection: Projection, event: ParleyEvent): unknown {
    this.db.exec('SAVEPOINT one');
    try {
      projection.apply(this.letters.followed(projection.name, [event]));
      this.db.exec('RELEASE one');
      return undefined;
    } catch (failure) {
      if (this.kindOf(failure) !== 'permanent') throw failure;
      this.db.exec('ROLLBACK TO one; RELEASE one');
      projection.undone?.();
      return failure;
    }
  }

  private transaction(checkpoint: number, processesThrough: number, work: () => void): void {
    this.begin();
    try {
      work();
      this.mark(checkpoint, processesThrough);
      this.end();
    } catch (failure) {
      if (this.db.inTransaction) this.db.exec('ROLLBACK');
      for (const projection of this.projections) projection.undone?.();
      throw failure;
    }
    this.checkpoint = checkpoint;
    this.processesThrough = processesThrough;
  }

  kindOf(failure: unknown): FailureKind {
    const code = (failure as { code?: unknown } | null)?.code;
    if (typeof code !== 'string') return 'permanent';
    if (DAMAGED.test(code)) return 'damaged';
    return TRANSIENT.test(code) ? 'transient' : 'permanent';
  }

  condemn(): void {
    condemnFile(this.file);
  }

  async close(processesThrough: number): Promise<void> {
    this.mark(this.checkpoint, processesThrough);
    closeFile(this.file, this.db);
  }
}
