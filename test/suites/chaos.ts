/** Kills processes and servers one after another under load. Everybody still sees each acknowledged message once. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { urls } from '../../services/endpoints.ts';
import type { OwnServices } from '../../services/port.ts';
import { privateServices } from '../../services/private.ts';
import { type Cluster, SPLIT, startCluster } from '../support/cluster.ts';
import { type Load, startLoad } from '../support/load.ts';
import { createNamespace, type Namespace } from '../support/namespace.ts';
import { Verdict } from '../support/verdict.ts';

export interface Killed {
  readonly processes: readonly (keyof typeof SPLIT)[];
  /** Not the log's, which is the source of truth. Servers that stay alive are the shared ones. */
  readonly servers: readonly ('redis' | 'kafka' | 'cassandra')[];
}

/** @param killed in this order */
export const chaosSuite = (killed: Killed, { senders = 20, subscribers = 50 } = {}) =>
  describe(`${senders} senders and ${subscribers} subscribers on two gateways, with ${[...killed.processes, ...killed.servers].join(', ')} killed in turn`, () => {
    let own: OwnServices;
    let namespace: Namespace;
    let cluster: Cluster<keyof typeof SPLIT>;
    let load: Load;
    let verdict: Verdict;

    /** Kills it at a random moment. People go on talking and hear each other while it is gone and after it returns. */
    const survives = async (kill: () => Promise<void>, start: () => Promise<void>, meanwhile = () => {}) => {
      await load.more(1 + Math.floor(Math.random() * 100));
      await kill();
      await load.more(100);
      await load.heard();
      meanwhile();
      await start();
      await load.more(50);
      await load.heard();
      await load.read();
    };

    /** Everybody connected to the killed gateway has moved to the other. */
    const everybodyOn = (gateway: 'gateway-1' | 'gateway-2') => () =>
      expect(new Set(load.subscribers.map(({ base }) => base))).toEqual(new Set([cluster.url(gateway)]));

    beforeAll(async () => {
      own = await privateServices();
      await own.start(...killed.servers);
      const ownUrls = Object.fromEntries(killed.servers.map((server) => [server, own.urls[server]]));
      namespace = await createNamespace({ ...urls, ...ownUrls });
      cluster = await startCluster({ processes: SPLIT, namespace });
      load = await startLoad(cluster, { senders, subscribers });
      const others = { 'gateway-1': everybodyOn('gateway-2'), 'gateway-2': everybodyOn('gateway-1') };
      for (const name of killed.processes)
        await survives(
          () => cluster.kill(name),
          () => cluster.start(name),
          (others as Partial<Record<typeof name, () => void>>)[name],
        );
      for (const server of killed.servers)
        await survives(
          () => own.kill(server),
          () => own.start(server),
        );
      verdict = await Verdict.on(load);
    }, 300_000);

    afterAll(async () => {
      load?.close();
      await cluster?.close();
      await namespace?.drop();
      await own?.destroy();
    });

    it('keeps every acknowledged message once in the log, at its acknowledged position', () =>
      verdict.expectPromisesKept());

    it('keeps every message in the timelines, in log order', () => verdict.expectHistory());

    it('shows every message once and in order to each subscriber, in its first session', () => {
      for (const { resumes } of load.subscribers) expect(resumes).toBeGreaterThanOrEqual(1);
      verdict.expectHeardOnce();
    });

    it('resumes the session of every sender', () => {
      expect(load.senders.map(({ invalidSessions }) => invalidSessions)).toEqual(load.senders.map(() => 0));
    });

    it('counts unread messages as the log does', () => verdict.expectUnreadRecounted());
  });
