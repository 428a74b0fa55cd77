/** For specs: a small cluster's stores in their own namespace, a log to append to, and a follower for it. */

import { setTimeout as pause } from 'node:timers/promises';
import { either } from 'fp-ts';
import type { Checkpoints } from '../../coordination/port.ts';
import type { EventLog } from '../../log/port.ts';
import { Filling } from '../../projections/engine/filling.ts';
import { generationOf } from '../../projections/engine/generations.ts';
import type { ViewName } from '../../projections/engine/port.ts';
import type { RebuildParts, ViewTools } from '../../projections/engine/rebuild-generation.ts';
import { Story } from '../../projections/testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { NewParleyEvent, ParleyEvent } from '../../schemas/events/catalogue.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createNamespace } from '../../test/support/namespace.ts';
import { readConfig } from '../environment.ts';
import { Connections } from './connections.ts';
import { toolsOf } from './view-kinds.ts';

const unwanted = (line: string): never => {
  throw new Error(line);
};

/** Between looks at the log. Without it a follower takes a core, and its questions another. */
const LOOK_MS = 20;

/** Follows the log into the generation that is read, as a projector does, until it is stopped. */
const following = (log: EventLog, checkpoints: Checkpoints, { kind }: ViewTools) => {
  const fillings = new Map<number, Filling>();
  let stopped = false;
  const step = async (): Promise<void> => {
    const generation = await generationOf(checkpoints, kind.name);
    if (!fillings.has(generation)) {
      const { store } = await kind.open(generation);
      fillings.set(generation, await Filling.begin({ log, store, clock: systemClock, say: unwanted }));
    }
    const filling = fillings.get(generation)!;
    const head = await log.head();
    await filling.to(filling.positions.map(() => head));
    await filling.flush();
  };
  const run = async () => {
    while (!stopped) {
      await step();
      await pause(LOOK_MS);
    }
  };
  const running = run();
  return {
    async stop() {
      stopped = true;
      await running;
    },
  };
};

export const testViews = async () => {
  const namespace = await createNamespace();
  const config = readConfig(namespace.env);
  if (either.isLeft(config)) throw new Error(config.left.join('\n'));
  const options = {
    config: config.right,
    metrics: createMetrics(),
    logger: createLogger('silent'),
    clock: systemClock,
  };
  const connections = new Connections(options, unwanted);
  const [log, checkpoints] = await Promise.all([connections.log(), connections.checkpoints()]);
  const story = new Story();
  let told = 0;
  return {
    ...{ config: config.right, connections, log, checkpoints, story },
    tools: (view: ViewName) => toolsOf(connections, view),
    follow: (tools: ViewTools) => following(log, checkpoints, tools),
    /** Appends the story's new events. */
    async append(): Promise<void> {
      const events = story.log.all.slice(told);
      told = story.log.all.length;
      const answers = await Promise.all(
        events.map(({ position: _, ...event }: ParleyEvent) =>
          log.append({ stream: event.stream, expected: event.sequence - 1, events: [event as NewParleyEvent] }),
        ),
      );
      if (answers.some(either.isLeft)) throw new Error('not stored');
    },
    parts: (tools: ViewTools, more: Partial<RebuildParts> = {}): RebuildParts => ({
      ...{ tools, log, checkpoints, overlapMs: 300, clock: systemClock, say: unwanted },
      onStep: () => {},
      onProgress: () => {},
      onDropped: async () => {},
      ...more,
    }),
    async close(): Promise<void> {
      await connections.opened.close();
      await namespace.drop();
    },
  };
};

export type TestViews = Awaited<ReturnType<typeof testViews>>;
