/** Appends to three nodes whose leader changes, dies, freezes and comes back. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { EventLog } from '../port.ts';
import { batch, refusal, sequences, stored, unexpected, upTo } from '../testing.ts';
import { openKurrentEventLog } from './event-log.ts';
import { StandInCluster } from './stand-in/cluster.testing.ts';

/** An answer that is missing is soon asked for again; all else takes longer than a machine stalls. */
const patience = { answerMs: 800, triedMs: 20_000, silenceMs: 10_000 };
/** For what comes of nodes of which none leads. */
const hasty = { answerMs: 800, triedMs: 1_500, silenceMs: 1_000 };

let cluster: StandInCluster;
let log: EventLog;
beforeEach(async () => {
  cluster = await new StandInCluster().start();
  log = await openKurrentEventLog({ clock: systemClock, url: cluster.url, patience });
});
afterEach(async () => {
  await log.close();
  await cluster.stop();
});

const openedAgain = async (given = patience): Promise<void> => {
  await log.close();
  log = await openKurrentEventLog({ clock: systemClock, url: cluster.url, patience: given });
};

const appendAll = async (from: number, count: number): Promise<void> => {
  for (let n = from; n < from + count; n += 1) stored(await log.append(batch('channel-1', n)));
};
const inLeader = () => cluster.leader.store.of('channel-1');

describe('appends to a cluster', () => {
  it('go to the leader, whichever node the URL names first', async () => {
    await appendAll(0, 3);
    const [leader, ...followers] = cluster.nodes;
    expect(leader!.proposals.length).toBeGreaterThan(2);
    expect(followers.flatMap(({ proposals }) => proposals)).toEqual([]);
  });

  it.each([1, 2])('go to the leader that the name of the cluster leads to, here that of node %i', async (number) => {
    await log.close();
    // The name of a cluster stands for its nodes, and whichever of them is asked tells who leads.
    const url = `kurrentdb+discover://admin:changeit@localhost:${cluster.nodes[number - 1]!.port}?tls=false`;
    log = await openKurrentEventLog({ clock: systemClock, url, patience });
    await appendAll(0, 2);
    cluster.elect(2);
    await appendAll(2, 2);
    expect(inLeader()).toHaveLength(4);
    expect(sequences(await log.readStream({ stream: 'channel-1', limit: 10 }))).toEqual(upTo(4));
  });

  it('go on with the next leader when one is killed, each stored once', async () => {
    await appendAll(0, 3);
    const waiting = appendAll(3, 3);
    await cluster.kill(0);
    cluster.elect(1);
    await waiting;
    expect(inLeader()).toHaveLength(6);
    expect(sequences(await log.readStream({ stream: 'channel-1', limit: 10 }))).toEqual(upTo(6));
  });

  it('go on with the next leader when one is frozen, and leave it alone when it thaws', async () => {
    await appendAll(0, 3);
    cluster.freeze(0);
    cluster.elect(2);
    await appendAll(3, 3);
    cluster.thaw(0);
    await appendAll(6, 3);
    expect(inLeader()).toHaveLength(9);
  });

  it('wait while nobody leads, and are said to be unavailable after that, never unknown', async () => {
    await appendAll(0, 1);
    await openedAgain(hasty);
    cluster.dismissLeader();
    for (const { front } of cluster.nodes) front.cutAll();
    await log.append(batch('other', 0));
    const answers = ['channel-2', 'channel-3'].map((stream) => log.append(batch(stream, 0)));
    for (const answer of await Promise.all(answers))
      expect(refusal(answer)).toEqual({ kind: 'unavailable', reason: expect.stringMatching(/leads|leader/) });
    cluster.elect(1);
    await openedAgain();
    stored(await log.append(batch('channel-2', 0)));
  });
});

describe('a URL of nodes that are all gone', () => {
  it('fails what is asked and appended meanwhile, and nothing else: the client looks for a leader in vain', async () => {
    await appendAll(0, 1);
    await openedAgain(hasty);
    const tail = log.tail(0, async () => {}, unexpected);
    const asked: Promise<unknown>[] = [];
    const ask = () =>
      asked.push(log.head(), log.streamHead('channel-1'), log.append(batch(`channel-${asked.length}`, 0)));
    for (let n = 0; n < 10; n += 1) ask();
    const stopping = cluster.stop();
    for (let n = 0; n < 10; n += 1) ask();
    await stopping;
    for (let n = 0; n < 10; n += 1) ask();
    const outcomes = await Promise.allSettled(asked);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(StoreUnavailable);
    await tail.stop();
    await log.close();
    cluster = await new StandInCluster().start();
    log = await openKurrentEventLog({ clock: systemClock, url: cluster.url, patience });
  });

  it('fails the opening, and leaves nothing behind that nobody catches', async () => {
    await log.close();
    await cluster.stop();
    const opening = openKurrentEventLog({ clock: systemClock, url: cluster.url, patience: hasty });
    await expect(opening).rejects.toThrow(StoreUnavailable);
    cluster = await new StandInCluster().start();
    log = await openKurrentEventLog({ clock: systemClock, url: cluster.url, patience });
  });
});
