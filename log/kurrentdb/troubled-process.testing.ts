/** A process whose connections to KurrentDB are cut, frozen and thawed at random, and what it leaves. */

import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { bundleOf, run } from '../processes.testing.ts';
import { StandIn } from './stand-in/testing.ts';

const trouble = fc.record({
  kind: fc.constantFrom('cut all', 'cut one', 'freeze all', 'freeze one', 'answer for 30 ms', 'restart'),
  forMs: fc.integer({ min: 0, max: 800 }),
  thenMs: fc.integer({ min: 0, max: 300 }),
});

const make = async (
  server: StandIn,
  { kind, forMs, thenMs }: typeof trouble extends fc.Arbitrary<infer T> ? T : never,
): Promise<void> => {
  const { front } = server;
  const [one] = [...front.connections].sort(() => Math.random() - 0.5);
  switch (kind) {
    case 'cut all':
      front.cutAll();
      break;
    case 'cut one':
      one?.cut();
      break;
    case 'freeze all':
      front.freeze();
      await wait(forMs);
      front.thaw();
      break;
    case 'freeze one':
      one?.freeze();
      await wait(forMs);
      one?.thaw();
      break;
    case 'answer for 30 ms':
      front.freeze();
      await wait(forMs);
      await front.thawFor(30);
      await wait(forMs);
      front.thaw();
      break;
    case 'restart':
      await server.stop();
      await wait(forMs);
      await server.start();
  }
  await wait(thenMs);
};

export interface TroubledProcess {
  /** Exit code; `undefined` if the process did not end by itself soon after it was told to. */
  readonly code: number | null | undefined;
  readonly errors: string;
  readonly seed: number;
  readonly acknowledged: number;
  readonly failures: Readonly<Record<string, number>>;
  /** Streams that do not hold what was acknowledged, each event once, in order. */
  readonly wrong: readonly string[];
}

const ENDING_MS = 6_000;

/** @param frozen whether no answer comes while the process closes its log */
export const troubledProcess = async (streams: number, troubles: number, frozen: boolean): Promise<TroubledProcess> => {
  const seed = Date.now() % 2 ** 31;
  const server = await new StandIn().start();
  const bundle = await bundleOf('log/kurrentdb/appending-process.testing.ts');
  const running = run(bundle.script, [server.url, String(streams)]);
  try {
    await running.until((line) => line === 'open');
    for (const one of fc.sample(trouble, { numRuns: troubles, seed })) await make(server, one);
    if (frozen) server.front.freeze();
    running.child.stdin.on('error', () => {}).write('stop\n');
    const code = await Promise.race([running.ended, wait(ENDING_MS)]);
    const told = JSON.parse(running.lines().at(-1) ?? '{}') as {
      acknowledged: Record<string, number>;
      failures: Record<string, number>;
    };
    const wrong = Object.entries(told.acknowledged).filter(([stream, last]) => {
      const there = server.store.of(stream);
      if (there === undefined || there === 'tombstoned') return true;
      const ids = there.map(({ metadata }) => (JSON.parse(Buffer.from(metadata).toString()) as { id: string }).id);
      return ids.length < last || ids.some((id, i) => id !== `${stream}/${i + 1}`);
    });
    return {
      code: code as number | null | undefined,
      errors: running.errors(),
      seed,
      acknowledged: Object.values(told.acknowledged).reduce((sum, last) => sum + last, 0),
      failures: told.failures,
      wrong: wrong.map(([stream]) => stream),
    };
  } finally {
    running.child.kill('SIGKILL');
    await running.ended;
    bundle.remove();
    await server.stop();
  }
};
