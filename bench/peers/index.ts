/** The same load on Parley and on servers that somebody runs beside it. They take turns. */

import { randomUUID } from 'node:crypto';
import { type Bench, type Measured, median, round } from '../bench.ts';
import type { ProtocolName, Talkers } from '../children/talkers.ts';
import { type Remote, startChild } from '../support/child.ts';
import { gatewayAt } from '../support/mini-socket.ts';
import { startPlace } from '../support/place.ts';
import { seedPeople } from '../support/seed.ts';
import { withStores } from '../support/stores.ts';
import { makeTopics } from './tinode.ts';

const SENDERS = 20;
const WINDOW = 32;
const SPREAD_WINDOW = 16;
const LISTENERS = 50;
const CROWD = 5_000;
const ROUNDS = 3;
const ROUND_MS = 5_000;

interface Need {
  readonly senders: number;
  readonly listeners: number;
  readonly channels: number;
}

interface Stage {
  readonly connect: Parameters<Talkers['connect']>[0];
  close(): Promise<void>;
}

interface Peer {
  readonly name: string;
  prepare(need: Need): Promise<Stage>;
}

const parley: Peer = {
  name: 'Parley',
  async prepare({ senders, listeners, channels }) {
    const place = await startPlace();
    try {
      const channelIds = await place.channels(channels);
      await place.stop();
      const people = await withStores(place.data, (stores) => seedPeople(stores, [place.guildId], senders + listeners));
      const { port } = await place.start();
      const tokens = people.slice(0, senders);
      return {
        connect: { protocol: 'parley', url: gatewayAt(port), tokens, listeners: people.slice(senders), channelIds },
        close: () => place.remove(),
      };
    } catch (error) {
      await place.remove();
      throw error;
    }
  },
};

/** A server whose sessions are all the same person's. */
const running = (
  name: string,
  protocol: ProtocolName,
  url: string,
  person: string,
  channelsOf: (count: number) => Promise<readonly string[]>,
): Peer => ({
  name,
  prepare: async ({ senders, listeners, channels }) => ({
    connect: {
      ...{ protocol, url },
      tokens: new Array<string>(senders).fill(person),
      listeners: new Array<string>(listeners).fill(person),
      channelIds: [...(await channelsOf(channels))],
    },
    close: async () => {},
  }),
});

/** Channels exist as soon as somebody names them. */
const centrifugo = (url: string): Peer =>
  running('Centrifugo', 'centrifugo', url, '', async (count) => {
    const run = randomUUID().slice(0, 8);
    return Array.from({ length: count }, (_, n) => `bench-${run}-${n}`);
  });

const tinode = (given: string): Peer => {
  const url = new URL(given);
  const person = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  [url.username, url.password] = ['', ''];
  return running('Tinode', 'tinode', url.href, person, (count) => makeTopics(url.href, person, count));
};

/** The URLs of the servers to measure beside Parley. */
export interface PeerUrls {
  readonly centrifugo?: string | undefined;
  readonly tinode?: string | undefined;
}

const peersAt = (urls: PeerUrls): readonly Peer[] => [
  parley,
  ...(urls.centrifugo === undefined ? [] : [centrifugo(urls.centrifugo)]),
  ...(urls.tinode === undefined ? [] : [tinode(urls.tinode)]),
];

type Figures = Readonly<Record<string, number>>;

interface Row {
  readonly name: string;
  readonly title: string;
  readonly need: Need;
  /** The first figure is compared. */
  readonly better: 'more' | 'less';
  run(talkers: Remote<Talkers>): Promise<Figures>;
}

const sends = (name: string, channels: number): Row => ({
  name,
  title: `sends acknowledged/s of ${SENDERS} senders x ${WINDOW} over ${channels} ${channels === 1 ? 'channel' : 'channels'}, and p50 from send to deliver`,
  need: { senders: SENDERS, listeners: 1, channels },
  better: 'more',
  async run(talkers) {
    const { perSecond, p50 } = await talkers.flood({ ms: ROUND_MS, window: WINDOW });
    return { 'sends/s': perSecond, 'p50 ms': p50 };
  },
});

const paced = (perSecond: number): Row => ({
  name: `peers-${perSecond}`,
  title: `p50 and p99 from send to deliver at ${perSecond.toLocaleString('en')} messages/s to ${LISTENERS} listeners`,
  need: { senders: SENDERS, listeners: LISTENERS, channels: 1 },
  better: 'less',
  async run(talkers) {
    const { p50, p99 } = await talkers.pace({ ms: ROUND_MS, perSecond });
    return { 'p50 ms': p50, 'p99 ms': p99 };
  },
});

const rows: readonly Row[] = [
  sends('peers-sends', 1),
  sends('peers-sends-20', 20),
  paced(200),
  paced(1_000),
  paced(2_000),
  {
    name: 'peers-crowd',
    title: `deliveries/s to ${CROWD.toLocaleString('en')} listeners, ${SPREAD_WINDOW} messages under way`,
    need: { senders: 1, listeners: CROWD, channels: 1 },
    better: 'more',
    run: async (talkers) => ({
      'deliveries/s': await talkers.spread({ ms: ROUND_MS, window: SPREAD_WINDOW }),
    }),
  },
];

const shown = (figures: Figures): string =>
  Object.entries(figures)
    .map(([name, value]) => `${round(value, value < 100 ? 1 : 0).toLocaleString('en')} ${name}`)
    .join(' and ');

/** The medians of the rounds, figure by figure. */
const medians = (rounds: readonly Figures[]): Figures =>
  Object.fromEntries(Object.keys(rounds[0]!).map((name) => [name, median(rounds.map((figures) => figures[name]!))]));

const measure = async (row: Row, peers: readonly Peer[]): Promise<Measured> => {
  const ending: (() => Promise<void>)[] = [];
  try {
    const sides: { readonly name: string; readonly talkers: Remote<Talkers>; readonly rounds: Figures[] }[] = [];
    for (const { name, prepare } of peers) {
      const stage = await prepare(row.need);
      ending.push(stage.close);
      const talkers = await startChild<Talkers>('talkers');
      ending.push(() => talkers.stop());
      await talkers.call.connect(stage.connect);
      sides.push({ name, talkers: talkers.call, rounds: [] });
    }
    // The first round compiles the code.
    for (let i = 0; i <= ROUNDS; i += 1)
      for (const { talkers, rounds } of sides) {
        const figures = await row.run(talkers);
        if (i > 0) rounds.push(figures);
      }
    const results = sides.map(({ name, rounds }) => ({ name, figures: medians(rounds) }));
    const [ours, ...others] = results.map(({ figures }) => Object.values(figures)[0]!) as [number, ...number[]];
    const best = row.better === 'more' ? Math.max(...others) : Math.min(...others);
    return {
      figures: Object.fromEntries(results.map(({ name, figures }) => [name, shown(figures)])),
      ratio: others.length === 0 ? null : ours / best,
    };
  } finally {
    for (const end of ending.reverse()) await end();
  }
};

export const peerBenches = (urls: PeerUrls): readonly Bench[] =>
  rows.map((row) => ({ name: row.name, title: row.title, run: () => measure(row, peersAt(urls)) }));
