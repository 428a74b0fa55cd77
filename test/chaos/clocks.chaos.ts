/** The wall clocks of a cluster's processes are wrong by half a minute, in both directions, and jump, under Debian's faketime. */

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, SPLIT, startCluster } from '../support/cluster.ts';
import { type Load, startLoad } from '../support/load.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { Verdict } from '../support/verdict.ts';
import { figure } from './figures.ts';

type Name = keyof typeof SPLIT;
const NAMES = Object.keys(SPLIT) as Name[];

const library = (() => {
  const folders = existsSync('/usr/lib')
    ? readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'faketime'))
    : [];
  return folders.map((folder) => join(folder, 'libfaketimeMT.so.1')).find((path) => existsSync(path));
})();
if (library === undefined) process.stderr.write('SKIPPED: clocks.chaos needs faketime (apt-get install faketime)\n');

/** Seconds by which the clocks of all processes are wrong, one step after another. */
const STEPS: readonly (readonly [string, (name: Name, index: number) => number])[] = [
  ['all but the gateways half a minute ahead', (name) => (SPLIT[name] === 'gateway' ? 0 : 30)],
  ['all but the gateways half a minute behind', (name) => (SPLIT[name] === 'gateway' ? 0 : -30)],
  ['every other one ahead, the others behind', (_, index) => (index % 2 === 0 ? 30 : -30)],
  ['the same, the other way round', (_, index) => (index % 2 === 0 ? -30 : 30)],
  ['all two minutes ahead', () => 120],
  ['all right again', () => 0],
];

describe.skipIf(library === undefined)(
  'people talk and listen while the clocks of processes are wrong and jump',
  () => {
    let clocks: TemporaryFolder;
    let cluster: Cluster<Name>;
    let load: Load;

    const clockOf = (name: Name) => join(clocks.path, name);
    const setClocks = (offOf: (name: Name, index: number) => number) => {
      for (const [index, name] of NAMES.entries()) {
        const off = offOf(name, index);
        writeFileSync(clockOf(name), `${off < 0 ? '' : '+'}${off}\n`);
      }
    };

    beforeAll(async () => {
      clocks = temporaryFolder();
      setClocks(() => 0);
      cluster = await startCluster({
        processes: SPLIT,
        envOf: (name) => ({
          LD_PRELOAD: library!,
          FAKETIME_TIMESTAMP_FILE: clockOf(name),
          FAKETIME_NO_CACHE: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        }),
      });
      load = await startLoad(cluster, { repeats: true });
    });

    afterAll(async () => {
      load?.close();
      await cluster?.close();
      clocks?.remove();
    });

    it('acknowledges and delivers on, and nothing is lost, doubled or reordered', async () => {
      const paces: number[] = [];
      const wrong = cluster.process('relay');
      for (const [step, offOf] of STEPS) {
        setClocks(offOf);
        const began = performance.now();
        await load.more(300).catch((error: Error) => expect.fail(`${step}: ${error.message}`));
        await load.heard().catch((error: Error) => expect.fail(`${step}: ${error.message}`));
        await load.read();
        paces.push(performance.now() - began);
      }
      figure('from a jump of the clocks until 300 messages more are acknowledged and heard', paces);
      expect(wrong.alive()).toBe(true);
      await (await Verdict.on(load)).expectAll();
    });
  },
);
