/** Readers of the log in KurrentDB, while a cluster of three is cut, frozen, killed and scavenged a hundred times. */

import { setTimeout as wait } from 'node:timers/promises';
import { either } from 'fp-ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openKurrentEventLog } from '../../log/kurrentdb/event-log.ts';
import { StandInCluster } from '../../log/kurrentdb/stand-in/cluster.testing.ts';
import type { EventLog, Tail } from '../../log/port.ts';
import { batch, collector, positions } from '../../log/testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { isStreamName } from '../../schemas/streams.ts';
import { figure } from './figures.ts';

const FAULTS = 100;
const STREAMS = 10;
const TAILS = 15;
/** A leader that was frozen finds out after this that another leads. */
const BELIEF_MS = 1_300;
const patience = { answerMs: 500, triedMs: 20_000, silenceMs: 600 };

const below = (n: number): number => Math.floor(Math.random() * n);

let cluster: StandInCluster;
let log: EventLog;
let other: EventLog;
beforeAll(async () => {
  cluster = await new StandInCluster().start();
  const options = { clock: systemClock, url: cluster.url, patience };
  [log, other] = await Promise.all([openKurrentEventLog(options), openKurrentEventLog(options)]);
});
afterAll(async () => {
  await Promise.all([log.close(), other.close()]);
  await cluster.stop();
});

/** What goes wrong, one thing at a time. */
const faultsOf = (nodes: StandInCluster): readonly (() => Promise<void>)[] => {
  let leader = 0;
  const next = (): number => {
    const old = leader;
    leader = (old + 1 + below(2)) % 3;
    return old;
  };
  return [
    async () => nodes.nodes[below(3)]!.front.cutAll(),
    // These take everything and answer nothing, for ever.
    async () => {
      for (const connection of nodes.nodes[leader]!.front.connections) if (below(2) === 0) connection.freeze();
    },
    async () => {
      nodes.freeze(leader);
      await wait(below(1_500));
      nodes.thaw(leader);
    },
    async () => {
      const old = next();
      nodes.freeze(old);
      await wait(below(800));
      nodes.elect(leader);
      await wait(below(1_500));
      nodes.thaw(old);
      await wait(BELIEF_MS);
      await nodes.settle(old);
      if (!nodes.isAlive(old)) await nodes.restart(old);
    },
    async () => {
      const old = next();
      await nodes.kill(old);
      await wait(below(300));
      nodes.elect(leader);
      await wait(below(500));
      await nodes.restart(old);
    },
    async () => {
      nodes.system(below(3_000));
      await wait(below(200));
      for (const { store } of nodes.nodes) store.scavenge(({ stream }) => stream === '$stats');
    },
  ];
};

/** Answers of one log, of which none may be older than what it has acknowledged. */
class Checked {
  isOver = false;
  acknowledged = 0;
  answered = 0;
  unavailable = 0;
  private readonly newest = new Map<string, number>();

  async write(stream: string): Promise<void> {
    for (let sequence = 0; !this.isOver; await wait(below(40))) {
      const answer = await log.append(batch(stream, sequence, 1 + below(20)));
      if (either.isLeft(answer)) sequence = (await this.answerOf(() => log.streamHead(stream)))?.sequence ?? sequence;
      else {
        const last = answer.right.at(-1)!;
        sequence = last.sequence;
        this.newest.set(stream, sequence);
        this.acknowledged = Math.max(this.acknowledged, last.position);
      }
    }
  }

  async read(): Promise<void> {
    for (; !this.isOver; await wait(20)) {
      const stream = `channel-${below(STREAMS)}`;
      const [sequence, position] = [this.newest.get(stream) ?? 0, this.acknowledged];
      const head = await this.answerOf(() => log.streamHead(stream));
      if (head !== undefined) expect(head.sequence).toBeGreaterThanOrEqual(sequence);
      const end = await this.answerOf(() => log.head());
      if (end !== undefined) expect(end).toBeGreaterThanOrEqual(position);
      const after = Math.max(0, position - 20_000 + below(20));
      const page = await this.answerOf(() => log.readAll({ after, limit: 1_000 }));
      if (page !== undefined && page.events.length < 1_000) expect(page.through).toBeGreaterThanOrEqual(position);
    }
  }

  private async answerOf<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await read();
      this.answered += 1;
      return answer;
    } catch (failure) {
      if (!(failure instanceof StoreUnavailable)) throw failure;
      this.unavailable += 1;
      return undefined;
    }
  }
}

it('readers lose, repeat and take back nothing', async () => {
  const checked = new Checked();
  const tails: { readonly seen: ReturnType<typeof collector>; readonly tail: Tail; readonly after: number }[] = [];
  const tailFrom = (after: number): void => {
    const seen = collector();
    tails.push({ seen, after, tail: other.tail(after, seen.onEvents, (failure) => expect.fail(String(failure))) });
  };
  tailFrom(0);
  const working = Promise.all([
    ...Array.from({ length: STREAMS }, (_, n) => checked.write(`channel-${n}`)),
    checked.read(),
    checked.read(),
  ]);
  const faults = faultsOf(cluster);
  for (let n = 0; n < FAULTS; n += 1) {
    await faults[below(faults.length)]!();
    await wait(below(400));
    if (n % 5 === 0 && tails.length < TAILS) tailFrom(Math.max(0, checked.acknowledged - below(5_000)));
  }
  checked.isOver = true;
  await working;

  const all = cluster.leader.store.all.filter(({ stream }) => isStreamName(stream)).map(({ position }) => position);
  for (const { seen, tail, after } of tails) {
    const expected = all.filter((position) => position > after);
    await seen.until(expected.length);
    await tail.stop();
    expect(positions(seen.events)).toEqual(expected);
  }
  expect(checked.answered).toBeGreaterThan(0);
  figure('reads of KurrentDB in trouble that were answered', [checked.answered], 'reads');
  figure('reads of KurrentDB in trouble that were unavailable', [checked.unavailable], 'reads');
});
