/** What it brings and costs that other processes hold the sockets. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { type Bench, median, round } from './bench.ts';
import type { Crowd } from './children/crowd.ts';
import type { Talkers } from './children/talkers.ts';
import { type Remote, startChild } from './support/child.ts';
import { gatewayAt } from './support/mini-socket.ts';
import { type Place, startPlace } from './support/place.ts';
import { seedPeople } from './support/seed.ts';
import { withStores } from './support/stores.ts';

const SOCKETS = 2_000;
const BURST = 16;
const WARM_UP_ROUNDS = 5;
const ROUNDS = 20;
const CONTENT = 'a message of a usual length, which is about a hundred characters when people have something to say';
const LISTENERS = 50;
const SENDERS = 20;
const PACE = { ms: 5_000, perSecond: 200 };
const PACE_ROUNDS = 3;
/** Until the socket processes are up, the main process holds what comes. */
const UP_MS = 2_000;
/** A second of CPU in /proc. */
const TICKS = 100;

/** Microseconds of CPU of one thread of a process, or of all. */
const cpuOf = (pid: number, thread?: number): number => {
  const stat = readFileSync(`/proc/${pid}/${thread === undefined ? '' : `task/${thread}/`}stat`, 'latin1');
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number) as [number, number];
  return ((user + system) * 1e6) / TICKS;
};

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);

/** Lets the server run on these cores only. */
const pin = (pid: number, cores: string): void => {
  for (const one of [pid, ...childrenOf(pid)]) execFileSync('taskset', ['-a', '-c', '-p', cores, String(one)]);
};

interface Side {
  readonly name: string;
  readonly place: Place;
  readonly people: readonly string[];
  readonly talkers: Remote<Talkers>;
}

interface Fanned {
  readonly perSecond: number;
  /** Microseconds of CPU for a delivery: of the main process's main thread, and of the socket processes. */
  readonly main: number;
  readonly processes: number;
}

const open = async (threads: number, children: { stop(): Promise<void> }[]): Promise<Side> => {
  const place = await startPlace({ PARLEY_THREADS: String(threads) });
  await place.stop();
  const people = await withStores(place.data, (stores) => seedPeople(stores, [place.guildId], SOCKETS));
  await place.start();
  await new Promise((up) => setTimeout(up, UP_MS));
  const talkers = await startChild<Talkers>('talkers');
  children.push(talkers);
  return { name: String(threads), place, people, talkers: talkers.call };
};

const fan = async (side: Side, crowd: Remote<Crowd>, cores: string, burst: number): Promise<Fanned> => {
  const { pid } = side.place.server();
  pin(pid, cores);
  const cpu = () => [cpuOf(pid, pid), childrenOf(pid).reduce((sum, child) => sum + cpuOf(child), 0)] as const;
  const times: number[] = [];
  let before = cpu();
  for (let i = 0; i < WARM_UP_ROUNDS + ROUNDS; i += 1) {
    if (i === WARM_UP_ROUNDS) before = cpu();
    const channelId = side.place.channel.id;
    const ms = await crowd.send({ group: side.name, channelId, burst, content: CONTENT });
    if (i >= WARM_UP_ROUNDS) times.push(ms);
  }
  const after = cpu();
  const deliveries = ROUNDS * burst * SOCKETS;
  return {
    perSecond: (SOCKETS * burst * 1_000) / median(times),
    main: (after[0] - before[0]) / deliveries,
    processes: (after[1] - before[1]) / deliveries,
  };
};

const figuresOf = (what: string, { perSecond, main, processes }: Fanned) => ({
  [`deliveries/s, ${what}`]: round(perSecond),
  [`us of the main thread for one, ${what}`]: round(main, 2),
  [`us of socket processes for one, ${what}`]: round(processes, 2),
});

const CORES = readdirSync('/sys/devices/system/cpu').filter((name) => /^cpu\d+$/.test(name)).length;

export const threads: Bench = {
  name: 'threads',
  title: `CPU of the main thread for a delivery to ${SOCKETS} sockets, PARLEY_THREADS=1 / 2`,
  reach: { comparison: '>=', value: 4 },
  run: async () => {
    const children: { stop(): Promise<void> }[] = [];
    const places: Place[] = [];
    try {
      const crowd = await startChild<Crowd>('crowd');
      children.push(crowd);
      const sides: Side[] = [];
      for (const count of [1, 2]) {
        const side = await open(count, children);
        places.push(side.place);
        sides.push(side);
        const ports = [side.place.server().port];
        const { token } = side.place.owner;
        await crowd.call.connect({ group: side.name, ports, tokens: [...side.people], senderToken: token });
      }
      const [one, two] = sides as [Side, Side];
      const all = `0-${CORES - 1}`;
      const fanned = {
        'bursts, one thread, one core': await fan(one, crowd.call, '0', BURST),
        'bursts, two processes, one core': await fan(two, crowd.call, '0', BURST),
        'bursts, one thread, all cores': await fan(one, crowd.call, all, BURST),
        'bursts, two processes, all cores': await fan(two, crowd.call, all, BURST),
        'single, one thread, all cores': await fan(one, crowd.call, all, 1),
        'single, two processes, all cores': await fan(two, crowd.call, all, 1),
      };
      for (const side of sides) await crowd.call.cut({ group: side.name });
      for (const { place, people, talkers } of sides)
        await talkers.connect({
          protocol: 'parley',
          url: gatewayAt(place.server().port),
          listeners: people.slice(0, LISTENERS),
          tokens: people.slice(LISTENERS, LISTENERS + SENDERS),
          channelIds: [place.channel.id],
        });
      const paced = new Map<Side, number[]>(sides.map((side) => [side, []]));
      for (let i = 0; i <= PACE_ROUNDS; i += 1)
        for (const side of sides) {
          const { p50 } = await side.talkers.pace(PACE);
          if (i > 0) paced.get(side)!.push(p50);
        }
      const [alone, apart] = sides.map((side) => round(median(paced.get(side)!), 2)) as [number, number];
      return {
        figures: {
          ...Object.assign({}, ...Object.entries(fanned).map(([what, each]) => figuresOf(what, each))),
          'p50 ms at 200/s to 50, one thread': alone,
          'p50 ms at 200/s to 50, two processes': apart,
        },
        ratio: fanned['single, one thread, all cores'].main / fanned['single, two processes, all cores'].main,
      };
    } finally {
      for (const child of children) await child.stop();
      for (const place of places) await place.remove();
    }
  },
};
