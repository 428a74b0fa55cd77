/** `parley projections` in a cluster, which keeps running meanwhile. */

import { setTimeout as delay } from 'node:timers/promises';
import pTimeout from 'p-timeout';
import { alone } from '../../coordination/port.ts';
import type { DeadLetters } from '../../projections/engine/dead-letters/port.ts';
import { generationOf, OVERLAP_MS } from '../../projections/engine/generations.ts';
import type { ViewName } from '../../projections/engine/port.ts';
import {
  type RebuildParts,
  type Rebuilt,
  rebuildView,
  verifyView,
} from '../../projections/engine/rebuild-generation.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { Config } from '../../schemas/settings.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { Connections } from '../cluster/connections.ts';
import { toolsOf, VIEWS } from '../cluster/view-kinds.ts';
import { Differs, type ProjectionsCommands, type Views } from './projections-port.ts';
import { counted, Exit, say, shown, table, wait } from './terminal.ts';

/** The status of one view of a cluster, as an operator sees it. */
interface ViewStatus {
  readonly view: string;
  /** The generation that is read. */
  readonly generation: number;
  /** Position through which it is complete. */
  readonly checkpoint: number;
  /** Positions between the checkpoint and the log's head. */
  readonly lag: number;
  readonly deadLetters: number;
  /** Other existing generations: earlier ones, or one that a rebuild has begun. */
  readonly others: readonly number[];
}

/** A view without a status, because its server does not answer. */
interface ViewGone {
  readonly view: string;
  readonly gone: string;
}

const ANSWER_MS = 5000;

/** The consumer group that follows a generation. */
const followedAs = (view: ViewName, generation: number): string => `${view}-g${generation}`;

const statusOf = async (
  connections: Connections,
  view: ViewName,
  head: number,
  letters: () => Promise<DeadLetters>,
): Promise<ViewStatus> => {
  const generation = await generationOf(await connections.checkpoints(), view);
  const { kind, generations } = await toolsOf(connections, view);
  const known = await generations();
  // A generation that holds nothing yet is at the beginning.
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

/** A server that does not answer hides only its own view. */
const statusOfViews = async (
  connections: Connections,
  letters: () => Promise<DeadLetters>,
): Promise<readonly (ViewStatus | ViewGone)[]> => {
  const head = await (await connections.log()).head();
  return Promise.all(
    VIEWS.map(async (view) => {
      const told = statusOf(connections, view, head, letters).catch((error: unknown) => ({
        view,
        gone: error instanceof Error ? error.message : String(error),
      }));
      return pTimeout(told, {
        milliseconds: ANSWER_MS,
        fallback: (): ViewGone => ({ view, gone: `no answer within ${ANSWER_MS / 1000} s` }),
      });
    }),
  );
};

/** Longest wait for a retry: a follower looks for dead letters to retry about every second. */
const RETRY_MS = 15_000;
const LOOK_MS = 500;
const ALONE_MS = 2000;
const MOST_SHOWN = 20;

const connected = async <T>(config: Config, use: (connections: Connections) => Promise<T>): Promise<T> => {
  // The command reports to the person who runs it, so nothing is logged.
  const options = { config, metrics: createMetrics(), logger: createLogger('silent'), clock: systemClock };
  const connections = new Connections(options, wait);
  try {
    return await use(connections);
  } finally {
    await connections.opened.close();
  }
};

type Make = (parts: RebuildParts) => Promise<Rebuilt>;

const made = async (connections: Connections, view: ViewName, make: Make): Promise<Rebuilt> => {
  const [tools, log, checkpoints] = await Promise.all([
    toolsOf(connections, view),
    connections.log(),
    connections.checkpoints(),
  ]);
  return shown({ building: 'events' }, (at) =>
    make({
      ...{ tools, log, checkpoints, overlapMs: OVERLAP_MS, clock: connections.clock, say: wait },
      onStep: (step) => {
        if (step !== 'building') wait(`${view}: ${step}`);
      },
      onProgress: (through, head) => at('building', through, head),
      onDropped: async (generation) => (await connections.deadLetters()).forget(followedAs(view, generation)),
    }),
  );
};

/** Allows one rebuild per view at a time: a second one would drop what the first is building. */
const madeAlone = async (connections: Connections, view: ViewName, make: Make): Promise<Rebuilt> => {
  let rebuilt: Rebuilt | undefined;
  let failure: unknown;
  const waiting = setTimeout(() => wait(`waiting for another rebuild of ${view}`), ALONE_MS);
  await alone(connections.leaderships(), `${connections.config.cluster.namespace} rebuild ${view}`, async () => {
    clearTimeout(waiting);
    try {
      rebuilt = await made(connections, view, make);
    } catch (error) {
      failure = error;
    }
  });
  if (rebuilt === undefined) throw failure;
  return rebuilt;
};

const tell = (view: ViewName, { former, built, compared, differences, unsettled }: Rebuilt): void => {
  const many = counted(differences.length, 'difference');
  say(`${view}: generation ${former}, which was read, compared with ${built}: ${compared} compared, ${many}`);
  for (const { thing, how } of differences.slice(0, MOST_SHOWN)) say(`  ${thing}: ${how}`);
  if (differences.length > MOST_SHOWN) say(`  and ${differences.length - MOST_SHOWN} more`);
  if (unsettled.length > 0) say(`  written to too fast to be compared: ${unsettled.slice(0, MOST_SHOWN).join(', ')}`);
};

const retried = async (letters: DeadLetters): Promise<void> => {
  for (const until = performance.now() + RETRY_MS; performance.now() < until; await delay(LOOK_MS))
    if (!(await letters.list()).some(({ retry }) => retry)) break;
  const left = await letters.list();
  const waiting = left.filter(({ retry }) => retry).length;
  if (waiting > 0) say(`${counted(waiting, 'letter')} not tried yet: is a projector running?`);
  say(`${counted(left.length, 'dead letter')} left.`);
};

const whichOf = (id: string): { projection: string; stream: string } => {
  const [, projection, stream] = /^([^/]+)\/(.+)$/.exec(id) ?? [];
  if (projection === undefined || stream === undefined)
    throw new Error(`${id} is no dead letter: their ids are such as timelines-g1/channel-123`);
  return { projection, stream };
};

export const clusterProjections: ProjectionsCommands = {
  status: (config) =>
    connected(config, async (connections) => {
      const views = await statusOfViews(connections, () => connections.deadLetters());
      const told = views.flatMap((view) => ('gone' in view ? [] : [view]));
      table(
        ['view', 'generation', 'position', 'events behind', 'dead letters', 'other generations'],
        told.map((one) => [
          ...[one.view, one.generation, one.checkpoint, one.lag, one.deadLetters],
          one.others.join(', '),
        ]),
      );
      const gone = views.flatMap((view) => ('gone' in view ? [`${view.view}: ${view.gone}`] : []));
      if (gone.length === 0) return;
      for (const line of gone) wait(line);
      // The calls that were not answered are still pending and would keep the process alive.
      process.exit(Exit.failed);
    }),

  rebuild: (config: Config, views: Views) =>
    connected(config, async (connections) => {
      for (const view of views) {
        tell(view, await madeAlone(connections, view, rebuildView));
        say(`${view} is read from what was built; the former generation is dropped by the next rebuild`);
      }
    }),

  verify: (config: Config, views: Views) =>
    connected(config, async (connections) => {
      let differ = false;
      for (const view of views) {
        const outcome = await madeAlone(connections, view, verifyView);
        tell(view, outcome);
        differ ||= outcome.differences.length > 0;
      }
      if (differ) throw new Differs();
    }),

  deadLetters: (config) =>
    connected(config, async (connections) => {
      const letters = await (await connections.deadLetters()).list();
      if (letters.length === 0) return say('There are no dead letters.');
      table(
        ['id', 'sequence', 'position', 'attempts', 'since', 'error'],
        letters.map(({ projection, stream, sequence, position, attempts, time, error }) => [
          ...[`${projection}/${stream}`, sequence, position, attempts, new Date(time).toISOString(), error],
        ]),
      );
    }),

  retry: (config, ids) =>
    connected(config, async (connections) => {
      const letters = await connections.deadLetters();
      let requested = 0;
      for (const which of ids.length === 0 ? [{}] : ids.map(whichOf)) requested += await letters.requestRetry(which);
      if (requested === 0) return say('There is nothing to retry.');
      say(`${counted(requested, 'letter')} to be tried again`);
      await retried(letters);
    }),
};
