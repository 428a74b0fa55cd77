import type { Clock } from '../../schemas/clock.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import { classify, ifPossible, isFull } from '../../stores/sqlite/failures.ts';
import { type Connection, command, query } from '../../stores/sqlite/statements.ts';
import type { DeadLetter, Place, ViewStore } from '../engine/port.ts';
import type { Readers } from '../port.ts';
import { type OnSqlite, sqlReaders, sqlViewNames, sqlViews, type ViewSources } from '../views/sql-views.ts';
import { SqliteTimelineReader } from '../views/timelines/sqlite/reader.ts';
import { SqliteTimelineWriter } from '../views/timelines/sqlite/writer.ts';
import { timelineChanges } from '../views/timelines/view.ts';
import { Floors, Unread } from '../views/unread/reader.ts';
import { SqliteUnread } from '../views/unread/sqlite.ts';
import { unreadChanges } from '../views/unread/view.ts';
import { closeFile, condemnFile } from './file.ts';

/** The events a projection could not apply, and the streams it therefore skips. */
class DeadLetters {
  count = 0;
  private readonly add: ReturnType<typeof command>;
  private readonly left = new Map<string, Set<string>>();

  constructor(db: Connection) {
    this.add = command(
      db,
      'INSERT INTO dead_letters (projection, stream, position, error, attempts) VALUES (?, ?, ?, ?, ?)',
    );
    for (const [projection, stream] of query<[string, string]>(db, 'SELECT projection, stream FROM dead_letters').all())
      this.leave(projection, stream);
  }

  private leave(projection: string, stream: string): void {
    const streams = this.left.get(projection);
    if (streams === undefined) this.left.set(projection, new Set([stream]));
    else streams.add(stream);
    this.count += 1;
  }

  /** The events the projection still follows. */
  followed(projection: string, events: readonly ParleyEvent[]): readonly ParleyEvent[] {
    const streams = this.left.get(projection);
    return streams === undefined ? events : events.filter((event) => !streams.has(event.stream));
  }

  /** Runs within a transaction. Call `committed` after it. */
  write(letter: DeadLetter): void {
    this.add(letter.projection, letter.stream, letter.position, letter.error, letter.attempts);
  }

  committed(letters: readonly DeadLetter[]): void {
    for (const { projection, stream } of letters) this.leave(projection, stream);
  }
}

/** A projection in the views file. */
type Projection = { readonly name: string } & Omit<OnSqlite<unknown>, 'reader'>;

export const sqliteProjections = (
  db: Connection,
  clock: Pick<Clock, 'monotonic'>,
  sources: ViewSources,
): { projections: readonly Projection[]; readers: Readers } => {
  const slices = new TimeSlices(clock);
  const views = sqlViewNames.map((name) => ({ name, view: sqlViews[name].sqlite(db, slices, sources) }));
  const readers = sqlReaders((name) => views.find((one) => one.name === name)!.view.reader);
  const timelineWriter = new SqliteTimelineWriter(db);
  const unread = new SqliteUnread(db, slices);
  return {
    projections: [
      ...views.map(({ name, view }) => ({ ...view, name: sqlViews[name].name })),
      { name: 'timelines', apply: (events) => timelineWriter.apply(timelineChanges(events)) },
      { name: 'unread', apply: (events) => unread.apply(unreadChanges(events)) },
    ],
    readers: {
      ...readers,
      timelines: new SqliteTimelineReader(db, slices),
      unread: new Unread(unread, new Floors(readers.guilds, sources.log)),
    },
  };
};

interface Hooks {
  /** Called before the first write, again after it threw; absent for a file that is in use. */
  readonly takeIntoUse?: (() => void) | undefined;
  /** Called whenever a batch does not fit on the disk. */
  readonly onFull?: (() => void) | undefined;
}

/**
 * One connection for writing and reading. A transaction runs synchronously, so no reader ever runs inside it. A
 * file that is only read needs no room on the disk, so it is taken into use by its first write.
 */
export class SqliteViewStore implements ViewStore {
  readonly classify = classify;
  checkpoint: number;
  processesThrough: number;

  private readonly file: string;
  private readonly db: Connection;
  private readonly projections: readonly Projection[];
  private readonly letters: DeadLetters;
  private readonly mark: ReturnType<typeof command>;
  private readonly begin: ReturnType<typeof command>;
  private readonly end: ReturnType<typeof command>;
  private takeIntoUse: (() => void) | undefined;
  private readonly onFull: (() => void) | undefined;

  constructor(file: string, db: Connection, projections: readonly Projection[], hooks: Hooks = {}) {
    this.file = file;
    this.db = db;
    this.projections = projections;
    this.takeIntoUse = hooks.takeIntoUse;
    this.onFull = hooks.onFull;
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
        if (classify(failure) !== 'permanent') throw failure;
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

  async leaveOut(
    { stream, position }: Place,
    processesThrough: number,
    failure: unknown,
  ): Promise<readonly DeadLetter[]> {
    const error = String(failure);
    const letters = this.projections.map(({ name }) => ({ projection: name, stream, position, error, attempts: 1 }));
    this.transaction(position, processesThrough, () => {
      for (const letter of letters) this.letters.write(letter);
    });
    this.letters.committed(letters);
    return letters;
  }

  /** @returns why the projection cannot apply the event, or `undefined`; a failed attempt leaves nothing behind */
  private applyAlone(projection: Projection, event: ParleyEvent): unknown {
    this.db.exec('SAVEPOINT one');
    try {
      projection.apply(this.letters.followed(projection.name, [event]));
      this.db.exec('RELEASE one');
      return undefined;
    } catch (failure) {
      if (classify(failure) !== 'permanent') throw failure;
      this.db.exec('ROLLBACK TO one; RELEASE one');
      projection.undone?.();
      return failure;
    }
  }

  private transaction(checkpoint: number, processesThrough: number, work: () => void): void {
    try {
      this.takeIntoUse?.();
      this.takeIntoUse = undefined;
      this.begin();
      work();
      this.mark(checkpoint, processesThrough);
      this.end();
    } catch (failure) {
      if (this.db.inTransaction) this.db.exec('ROLLBACK');
      for (const projection of this.projections) projection.undone?.();
      if (isFull(failure)) this.onFull?.();
      throw failure;
    }
    this.checkpoint = checkpoint;
    this.processesThrough = processesThrough;
  }

  condemn(): void {
    condemnFile(this.file);
  }

  async close(processesThrough: number): Promise<void> {
    // A file that cannot be marked for want of room is as a killed process would leave it.
    ifPossible(() => {
      this.takeIntoUse?.();
      this.mark(this.checkpoint, processesThrough);
      closeFile(this.file, this.db);
    });
  }
}
