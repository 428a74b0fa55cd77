/** Messages at fixed rates, beside a bare relay that makes them durable too. */

import { type Bench, median, type Reach, round } from './bench.ts';
import type { Relay } from './children/relay.ts';
import type { Talkers } from './children/talkers.ts';
import { startChild } from './support/child.ts';
import { metricsOf } from './support/metrics.ts';
import { gatewayAt } from './support/mini-socket.ts';
import { startPlace } from './support/place.ts';
import { seedPeople } from './support/seed.ts';
import { withStores } from './support/stores.ts';

interface Load {
  readonly perSecond: number;
  readonly senders: number;
  readonly listeners: number;
}

/** The two servers take turns. */
const ROUNDS = 5;
const ROUND_MS = 5_000;

interface Round {
  readonly p50: number;
  readonly p99: number;
  /** Seconds of the server's CPU. */
  readonly cpu: number;
}

interface Measured {
  readonly parley: Round;
  readonly relay: Round;
}

const medians = (rounds: readonly Round[]): Round => ({
  p50: median(rounds.map(({ p50 }) => p50)),
  p99: median(rounds.map(({ p99 }) => p99)),
  cpu: median(rounds.map(({ cpu }) => cpu)),
});

const measure = async ({ perSecond, senders, listeners }: Load): Promise<Measured> => {
  const place = await startPlace();
  const children: { stop(): Promise<void> }[] = [];
  try {
    await place.stop();
    const people = await withStores(place.data, (stores) => seedPeople(stores, [place.guildId], listeners + senders));
    const { port, url } = await place.start();
    const relay = await startChild<Relay>('relay');
    children.push(relay);
    const clients = [await startChild<Talkers>('talkers'), await startChild<Talkers>('talkers')] as const;
    children.push(...clients);
    const common = {
      protocol: 'parley' as const,
      listeners: people.slice(0, listeners),
      tokens: people.slice(listeners),
      channelIds: [place.channel.id],
    };
    const pace = { ms: ROUND_MS, perSecond };
    await clients[0].call.connect({ url: gatewayAt(port), ...common });
    await clients[0].call.pace(pace);
    await relay.call.use(await clients[0].call.frame(null));
    await clients[1].call.connect({ url: gatewayAt(await relay.call.listen(null)), ...common });
    await clients[1].call.pace(pace);
    const cpuOfParley = async () => (await metricsOf(url)).all('process_cpu_seconds_total')[0]!;
    const round = async (client: (typeof clients)[number], cpu: () => Promise<number>): Promise<Round> => {
      const before = await cpu();
      const { p50, p99 } = await client.call.pace(pace);
      return { p50, p99, cpu: (await cpu()) - before };
    };
    const [ours, bare]: [Round[], Round[]] = [[], []];
    for (let i = 0; i < ROUNDS; i += 1) {
      ours.push(await round(clients[0], cpuOfParley));
      bare.push(await round(clients[1], () => relay.call.cpu(null)));
    }
    return { parley: medians(ours), relay: medians(bare) };
  } finally {
    for (const child of children) await child.stop();
    await place.remove();
  }
};

const figuresOf = ({ parley, relay }: Measured) => ({
  'p50 ms': round(parley.p50, 2),
  'p50 ms of the relay': round(relay.p50, 2),
  'p99 ms': round(parley.p99, 2),
  'p99 ms of the relay': round(relay.p99, 2),
  'CPU s': round(parley.cpu, 2),
  'CPU s of the relay': round(relay.cpu, 2),
});

type Figure = readonly [suffix: string, what: string, of: (measured: Measured) => number, reach: Reach];

const benchesAt = (name: string, load: Load, figures: readonly Figure[]): Bench[] => {
  let measuring: Promise<Measured> | undefined;
  return figures.map(([suffix, what, of, reach]) => ({
    name: `${name}${suffix}`,
    title: `${what} at ${load.perSecond.toLocaleString('en')} messages/s of ${load.senders} senders to ${load.listeners} ${load.listeners === 1 ? 'listener' : 'listeners'}`,
    reach,
    run: async () => {
      // Measured once for all benches that report it.
      measuring ??= measure(load);
      const measured = await measuring;
      return { figures: figuresOf(measured), ratio: of(measured) };
    },
  }));
};

const beyond = (quantile: 'p50' | 'p99', value: number): Figure => [
  quantile === 'p50' ? '' : '-p99',
  `${quantile} from send to deliver, less that of a bare relay with one fdatasync a batch,`,
  ({ parley, relay }) => parley[quantile] - relay[quantile],
  { comparison: '<=', value, unit: 'ms' },
];

const FEW = { senders: 20, listeners: 50 };

export const besideRelay: readonly Bench[] = [
  ...benchesAt('latency', { perSecond: 5_000, senders: 50, listeners: 1 }, [
    ['', 'p99 from send to deliver', ({ parley }) => parley.p99, { comparison: '<', value: 10, unit: 'ms' }],
  ]),
  ...benchesAt('small', { perSecond: 200, ...FEW }, [beyond('p50', 0.7), beyond('p99', 2)]),
  ...benchesAt('steady', { perSecond: 2_000, ...FEW }, [
    beyond('p50', 1.2),
    beyond('p99', 4),
    [
      '-cpu',
      "the server's CPU / that of a bare relay",
      ({ parley, relay }) => parley.cpu / relay.cpu,
      { comparison: '<=', value: 1.4 },
    ],
  ]),
];
