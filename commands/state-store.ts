/** Folded states of the streams lately written to; others are loaded from their snapshot and what came after it. */
import { LRUCache } from 'lru-cache';
import type { Fold, StreamState } from '../domain/fold.ts';
import { foldOf } from '../domain/folds.ts';
import type { LogReader } from '../log/port.ts';
import type { SnapshotReader } from '../projections/snapshots/port.ts';

const PAGE = 1000;
/** A state is a few hundred bytes to some 100 KB (recent keys of a busy channel). */
const KEPT_STATES = 20_000;

export class StateStore {
  private readonly log: LogReader;
  private readonly snapshots: SnapshotReader;
  private readonly states = new LRUCache<string, StreamState>({ max: KEPT_STATES });

  constructor(log: LogReader, snapshots: SnapshotReader) {
    this.log = log;
    this.snapshots = snapshots;
  }

  fold(stream: string): Fold<StreamState> {
    const fold = foldOf(stream);
    if (fold === undefined) throw new Error(`No aggregate has streams named like ${stream}.`);
    return fold as Fold<StreamState>;
  }

  /** The state at the stream's end, for the caller alone until it hands it back with `keep`. */
  async take(stream: string): Promise<StreamState> {
    const kept = this.states.get(stream);
    if (kept === undefined) return this.load(stream);
    this.states.delete(stream);
    return kept;
  }

  /** Only a state that the log agrees with is kept; after a failed append it is simply not handed back. */
  keep(stream: string, state: StreamState): void {
    this.states.set(stream, state);
  }

  private async load(stream: string): Promise<StreamState> {
    const fold = this.fold(stream);
    const snapshot = await this.snapshots.latest(stream);
    const known = snapshot !== undefined && snapshot.version === fold.version;
    return this.upToEnd(stream, known ? fold.fromJson(snapshot.state) : fold.initial());
  }

  /** The state with what others have appended since. */
  async upToEnd(stream: string, known: StreamState): Promise<StreamState> {
    const fold = this.fold(stream);
    let state = known;
    for (;;) {
      const events = await this.log.readStream({ stream, from: state.sequence + 1, limit: PAGE });
      for (const event of events) state = fold.evolve(state, event);
      if (events.length < PAGE) return state;
    }
  }
}
