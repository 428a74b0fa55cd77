/** For specs: a views database of the spec's own on the shared server. */

import type { Fold } from '../../../domain/decider.ts';
import { MemoryLog } from '../../../log/memory.ts';
import { systemClock } from '../../../schemas/clock.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { createDatabase } from '../../../services/testing.ts';
import { openPostgres, type Postgres } from '../../../stores/postgres/connection.ts';
import { partitionOf } from '../../engine/partitions.ts';
import { openPostgresViews, type PostgresViews, prepareGeneration, schemaOf } from './views.ts';

export const PARTITIONS = 4;

export interface TestViews extends PostgresViews {
  /** Sends the events of each partition as one batch. All partitions end at the last position. */
  apply(events: readonly ParleyEvent[]): Promise<void>;
}

interface ViewsOptions {
  readonly foldOf?: (stream: string) => Fold<unknown> | undefined;
  readonly log?: MemoryLog;
  readonly clock?: () => number;
}

export interface TestPostgres {
  readonly url: string;
  readonly client: Postgres;
  /** Creates a generation's tables. */
  generation(): Promise<number>;
  /** One generation for specs that come one after the other, without rows. Creating the tables takes half a second. */
  emptied(): Promise<number>;
  views(generation: number, options?: ViewsOptions): TestViews;
  drop(): Promise<void>;
}

export const viewsOn = (client: Postgres, generation: number, options: ViewsOptions = {}): TestViews => {
  const { foldOf = () => undefined, log = new MemoryLog(), clock = () => 0 } = options;
  const views = openPostgresViews({ client, generation, partitions: PARTITIONS, foldOf, log, clock });
  return {
    ...views,
    async apply(events) {
      const through = events.at(-1)?.position ?? 0;
      const stands = await views.store.checkpoints();
      for (const [partition, from] of stands.entries()) {
        const own = events.filter((event) => partitionOf(event.stream, PARTITIONS) === partition);
        await views.store.commit({ partition, from, events: own, through });
      }
      await views.store.flush();
    },
  };
};

export const testPostgres = async (): Promise<TestPostgres> => {
  const { url, drop } = await createDatabase('views');
  const client = await openPostgres({ clock: systemClock, url });
  let last = 0;
  let reused: number | undefined;
  const generation = async (): Promise<number> => {
    last += 1;
    const created = last;
    await prepareGeneration(client, created);
    return created;
  };
  return {
    url,
    client,
    generation,
    async emptied() {
      if (reused === undefined) {
        reused = await generation();
        return reused;
      }
      const schema = schemaOf(reused);
      await client.ask({
        text: `DO $$ DECLARE one text; BEGIN
          FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = '${schema}' AND tablename NOT LIKE 'migrations%'
          LOOP EXECUTE format('DELETE FROM ${schema}.%I', one); END LOOP;
        END $$`,
      });
      return reused;
    },
    views: (of, options) => viewsOn(client, of, options),
    async drop() {
      await client.close();
      await drop();
    },
  };
};
