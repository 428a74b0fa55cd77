/** The timelines of a cluster are rebuilt while people talk and read. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../support/api.ts';
import { type Cluster, SPLIT, startCluster } from '../support/cluster.ts';
import { type Load, startLoad } from '../support/load.ts';
import { parley } from '../support/parley.ts';
import { Verdict } from '../support/verdict.ts';

describe('a rebuild of the timelines, under load', () => {
  let cluster: Cluster<keyof typeof SPLIT>;
  let load: Load;
  let verdict: Verdict;
  const failures: unknown[] = [];
  let pages = 0;

  /** Reads the newest page and the one before it repeatedly. They must be complete, whichever table they come from. */
  const read = async (goesOn: () => boolean) => {
    const { owner, channels } = load;
    const page = async (channelId: string, query: string): Promise<Message[]> => {
      const answer = await owner.request<Message[]>('GET', `/channels/${channelId}/messages${query}`);
      pages += 1;
      if (answer.status !== 200) {
        failures.push(answer);
        return [];
      }
      const ordinals = answer.body.map(({ ordinal }) => ordinal);
      if (ordinals.some((ordinal, index) => ordinal !== ordinals[0]! - index)) failures.push(ordinals);
      return answer.body;
    };
    while (goesOn()) {
      for (const { id } of channels) {
        const last = (await page(id, '?limit=50')).at(-1);
        if (last !== undefined && last.ordinal > 1) {
          const before = await page(id, `?limit=50&before=${last.id}`);
          if (before[0]?.ordinal !== last.ordinal - 1) failures.push({ last, before: before[0] });
        }
      }
    }
  };

  beforeAll(async () => {
    cluster = await startCluster({ processes: SPLIT });
    load = await startLoad(cluster, { channels: 3, everyMs: 100 });
    await load.more(500);
    await load.heard();
    let rebuilding = true;
    const reading = read(() => rebuilding);
    try {
      await parley(['projections', 'rebuild', 'timelines'], cluster.namespace.env);
    } finally {
      await load.more(100);
      rebuilding = false;
      await reading;
    }
    verdict = await Verdict.on(load);
  });

  afterAll(async () => {
    load?.close();
    await cluster?.close();
  });

  it('fails no read, and always shows complete pages', () => {
    expect(pages).toBeGreaterThan(20);
    expect(failures).toEqual([]);
  });

  it('leaves timelines that match the log, by checksum', async () => {
    await parley(['projections', 'verify', 'timelines'], cluster.namespace.env);
    await verdict.expectHistory();
  });

  it('loses nobody a message', () => {
    verdict.expectPromisesKept();
    verdict.expectHeardOnce();
  });
});
