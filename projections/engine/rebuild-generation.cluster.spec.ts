import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type TestViews, testViews } from '../../app/cluster/testing.ts';
import { RebuildFailed } from './filling.ts';
import { generationOf } from './generations.ts';
import type { ViewName } from './port.ts';
import { rebuildView, type ViewTools, verifyView } from './rebuild-generation.ts';

let views: TestViews;

beforeAll(async () => {
  views = await testViews();
  const { story } = views;
  for (const userId of ['10', '11', '12']) story.user(userId);
  story.guild('20', '10');
  for (const channel of ['30', '31', '32', '33']) story.channel(channel, '20');
  for (const userId of ['10', '11', '12']) story.join('20', userId);
  story.invite('code', '20', '30', '10', 3);
  for (let n = 1; n <= 300; n += 1) {
    for (const channel of ['30', '31', '32'])
      story.post(channel, n % 3 === 0 ? '11' : '10', { mentions: { users: ['12'], everyone: n % 50 === 0 } });
    if (n % 7 === 0) story.react('30', n, '11', '👍');
    if (n % 11 === 0) story.edit('31', n, '10');
    if (n % 13 === 0) story.remove('30', n, '10');
    if (n % 17 === 0) story.read('12', { '30': n });
  }
  story.leave('20', '11');
  await views.append();
});
afterAll(() => views.close());

/** How to spoil one row of each view, and what then differs. */
const SPOILED: Readonly<Record<ViewName, { thing: string; spoil: (generation: number) => Promise<unknown> }>> = {
  'guild-views': {
    thing: 'table guilds',
    spoil: async (generation) =>
      (await views.connections.views()).ask({ text: `UPDATE views_g${generation}.guilds SET owner_id = 11` }),
  },
  timelines: {
    thing: 'channel 31',
    spoil: async (generation) => {
      const cassandra = await views.connections.cassandra();
      const table = `timeline_messages_g${generation}`;
      const [row] = await cassandra.execute<{ id: bigint }>(
        `SELECT id FROM ${table} WHERE channel_id = 31 AND bucket = 0 LIMIT 1`,
        [],
      );
      await cassandra.execute(`UPDATE ${table} SET flags = 4 WHERE channel_id = 31 AND bucket = 0 AND id = ?`, [
        row!.id,
      ]);
    },
  },
  unread: {
    thing: 'read-12',
    spoil: async (generation) => {
      const redis = await views.connections.redis();
      const { namespace } = views.config.cluster;
      for await (const { keys } of redis.scan(`{${namespace}:u${generation}:*}:read:12`))
        for (const key of keys) await redis.run((client) => client.hset(key, '30', '1'));
    },
  },
};

describe.each(Object.keys(SPOILED) as ViewName[])('%s', (view) => {
  let tools: ViewTools;
  let projector: { stop(): Promise<void> };
  const { thing, spoil } = SPOILED[view];
  const read = () => generationOf(views.checkpoints, view);
  const caughtUp = async (generation: number) => {
    const { store } = await tools.kind.open(generation);
    const head = await views.log.head();
    const look = async () => expect(Math.min(...(await store.checkpoints()))).toBe(head);
    await vi.waitFor(look, { timeout: 20_000, interval: 50 });
  };

  beforeAll(async () => {
    tools = await views.tools(view);
    await tools.kind.prepare(1);
    projector = views.follow(tools);
    await caughtUp(1);
  });
  afterAll(() => projector?.stop());

  it('is verified: the same rows are built from the log, and the copy is dropped', async () => {
    const steps: string[] = [];
    const progress: number[] = [];
    const outcome = await verifyView(
      views.parts(tools, {
        onStep: (step) => void steps.push(step),
        onProgress: (through) => void progress.push(through),
      }),
    );
    expect(outcome).toMatchObject({ former: 1, built: 2, differences: [], unsettled: [] });
    expect(outcome.compared).toBeGreaterThan(3);
    expect(await tools.generations()).toEqual([1]);
    expect(steps).toEqual(['building', 'comparing']);
    expect(progress.at(-1)).toBe(await views.log.head());
    expect(await read()).toBe(1);
  });

  it('is rebuilt while it is written to, and read from the new generation', async () => {
    let talking = true;
    const talk = async () => {
      // With pauses, and not without end: the log would grow faster than a busy machine reads it, and each rebuild reads it all.
      for (let round = 0; talking && round < 500; round += 1) {
        for (const channel of ['30', '31', '32', '33']) views.story.post(channel, '10');
        views.story.user(String(1000 + views.story.log.all.length));
        await views.append();
        await pause(20);
      }
    };
    const talked = talk();
    try {
      const outcome = await rebuildView(views.parts(tools));
      expect(outcome).toMatchObject({ former: 1, built: 3, differences: [] });
    } finally {
      talking = false;
      await talked;
    }
    expect(await read()).toBe(3);
    expect(await tools.generations()).toEqual([1, 3]);
    await caughtUp(3);
    const dropped: number[] = [];
    const onDropped = async (generation: number) => void dropped.push(generation);
    const verified = await verifyView(views.parts(tools, { onDropped, say: () => {} }));
    expect(verified).toMatchObject({ former: 3, built: 4, differences: [], unsettled: [] });
    expect(dropped).toEqual([1]);
  });

  it('is reported as different after a row was spoiled, and fixed by a rebuild', async () => {
    await spoil(await read());
    const found = await verifyView(views.parts(tools));
    expect(found.differences.map((one) => one.thing)).toEqual([thing]);
    const { differences } = await rebuildView(views.parts(tools));
    expect(differences.map((one) => one.thing)).toEqual([thing]);
    expect(await verifyView(views.parts(tools, { say: () => {} }))).toMatchObject({ differences: [] });
  });

  it('is unchanged by an interrupted rebuild, whose remains the next rebuild drops', async () => {
    const before = await read();
    await tools.kind.prepare(40);
    const half = await tools.kind.open(40);
    await half.store.commit({ partition: 0, from: 0, events: [], through: 5 });
    await half.store.flush();
    expect(await tools.generations()).toEqual([before, 40]);
    expect(await verifyView(views.parts(tools))).toMatchObject({ former: before, built: 41 });
    expect(await tools.generations()).toEqual([before]);
  });

  // What the steps do with an event that fails is the same for every view.
  it.runIf(view === 'guild-views')(
    'is not rebuilt without an event that fails: the error names it, and the new generation is dropped',
    async () => {
      const before = await read();
      const failing: ViewTools = {
        ...tools,
        kind: {
          ...tools.kind,
          open: async (generation) => {
            const opened = await tools.kind.open(generation);
            if (generation === before) return opened;
            const { store } = opened;
            return {
              ...opened,
              store: {
                name: store.name,
                checkpoints: () => store.checkpoints(),
                flush: () => store.flush(),
                repair: (events) => store.repair(events),
                classify: (failure) => (failure instanceof SyntaxError ? 'permanent' : store.classify(failure)),
                commit: async (batch) => {
                  if (batch.events.some(({ position }) => position === 77)) throw new SyntaxError('not understood');
                  await store.commit(batch);
                },
              },
            };
          },
        },
      };
      const rebuilding = rebuildView(views.parts(failing));
      await expect(rebuilding).rejects.toThrow(RebuildFailed);
      await expect(rebuilding).rejects.toThrow(/position 77\) cannot be applied: not understood/);
      expect(await read()).toBe(before);
      expect(await tools.generations()).toEqual([before]);
    },
  );
});
