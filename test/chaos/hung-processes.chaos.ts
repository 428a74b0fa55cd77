/** Each process of a cluster hangs in turn (SIGSTOP), for longer than any of its leases, and wakes again. */

import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUDGETS } from '../../stores/budgets.ts';
import { type Cluster, SPLIT, startCluster } from '../support/cluster.ts';
import { type Load, startLoad } from '../support/load.ts';
import { Verdict } from '../support/verdict.ts';
import { figure } from './figures.ts';

const PROCESSES = { ...SPLIT, 'relay-2': 'relay' } as const;
type Name = keyof typeof PROCESSES;

/** Milliseconds. A worker id is leased for 30 s, and a leadership for 3 s. */
const HANGS: readonly (readonly [Name, number])[] = [
  ['relay', 130_000],
  ['relay-2', 20_000],
  ['projector-1', 40_000],
  ['api', 20_000],
  ['gateway-1', 35_000],
  ['gateway-2', 35_000],
];
const WATCHED_MS = 8000;
/** Gateways hold the sockets of the people, who notice nothing until it wakes. */
const isGateway = (name: Name) => PROCESSES[name] === 'gateway';

interface Leader {
  readonly name: string;
  readonly holder: string;
  readonly held: boolean;
}

describe('people talk and listen while every process hangs in turn', () => {
  let cluster: Cluster<Name>;
  let load: Load;
  let vault: Client;

  const leaders = async () =>
    (
      await vault.query<Leader>(
        `SELECT name, holder, until > now() AS held FROM leaderships
           WHERE name LIKE '% relay' OR name LIKE '% finisher' ORDER BY name`,
      )
    ).rows;

  beforeAll(async () => {
    cluster = await startCluster({ processes: PROCESSES });
    vault = new Client({ connectionString: cluster.namespace.env.PARLEY_VAULT_URL });
    await vault.connect();
    load = await startLoad(cluster, { repeats: true });
  });

  afterAll(async () => {
    load?.close();
    await vault?.end();
    await cluster?.close();
  });

  it('hands each leadership over within 5 s, and nothing is lost, doubled or reordered when they wake', async () => {
    const handOvers: number[] = [];
    for (const [name, hangMs] of HANGS) {
      await load.more(50);
      const before = await leaders();
      cluster.hang(name);
      const began = performance.now();
      const changed = new Set<string>();
      while (performance.now() - began < WATCHED_MS) {
        await wait(20);
        for (const { name: role, holder } of await leaders()) {
          if (changed.has(role) || before.some((one) => one.name === role && one.holder === holder)) continue;
          changed.add(role);
          handOvers.push(performance.now() - began);
        }
      }
      expect((await leaders()).map(({ held }) => held)).toEqual([true, true]);
      if (!isGateway(name)) {
        await load.more(100);
        await load.heard();
      }
      await wait(Math.max(0, hangMs - (performance.now() - began)));
      cluster.wake(name);
      await load.more(50);
      await load.heard();
      await load.read();
    }
    const verdict = await Verdict.on(load);
    figure('from SIGSTOP until another process leads', handOvers);
    // At least the relay's.
    expect(handOvers.length).toBeGreaterThan(0);
    expect(Math.max(...handOvers)).toBeLessThan(BUDGETS.leases.handOverMs);
    await verdict.expectAll();
  });
});
