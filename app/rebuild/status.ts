/** How each view of a cluster stands, as an operator is told. */
import type { DeadLetters } from '../../projections/dead-letters/port.ts';
import type { ViewName } from '../../projections/port.ts';
import type { Connections } from '../cluster/connections.ts';
import { generationOf } from '../cluster/generations.ts';
import { VIEWS } from '../cluster/view-kinds.ts';
import { toolsOf } from './view-tools.ts';

export interface ViewStatus {
  readonly view: string;
  /** The one that is read. */
  readonly generation: number;
  /** Position through which it holds everything. */
  readonly checkpoint: number;
  /** Positions between that and the log's head. */
  readonly lag: number;
  readonly deadLetters: number;
  /** Other generations that are there: former ones, or what a rebuild has begun. */
  readonly others: readonly number[];
}

/** Why a view cannot be told of: its server does not answer. */
export interface ViewGone {
  readonly view: string;
  readonly gone: string;
}

const ANSWER_MS = 5000;

/** The name under which a generation is followed. */
export const followedAs = (view: ViewName, generation: number): string => `${view}-g${generation}`;

const statusOf = async (
  connections: Connections,
  view: ViewName,
  head: number,
  letters: () => Promise<DeadLetters>,
): Promise<ViewStatus> => {
  const generation = await generationOf(await connections.checkpoints(), view);
  const { kind, generations } = await toolsOf(connections, view);
  const known = await generations();
  // One of which nothing is there yet stands at the beginning.
  const { store } = await kind.open(generation);
  const checkpoint = known.includes(generation) ? Math.min(...(await store.checkpoints())) : 0;
  const left = await (await letters()).list({ projection: followedAs(view, generation) });
  return {
    ...{ view, generation, checkpoint },
    lag: Math.max(0, head - checkpoint),
    deadLetters: left.length,
    others: known.filter((one) => one !== generation),
  };
};

/** A server that does not answer hides its own view only. */
export const statusOfViews = async (
  connections: Connections,
  letters: () => Promise<DeadLetters>,
): Promise<readonly (ViewStatus | ViewGone)[]> => {
  const head = await (await connections.log()).head();
  return Promise.all(
    VIEWS.map(async (view) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<ViewGone>((resolve) => {
        timer = setTimeout(() => resolve({ view, gone: `no answer within ${ANSWER_MS / 1000} s` }), ANSWER_MS);
      });
      const told = statusOf(connections, view, head, letters).catch((error: unknown) => ({
        view,
        gone: error instanceof Error ? error.message : String(error),
      }));
      return Promise.race([told, late]).finally(() => clearTimeout(timer));
    }),
  );
};
