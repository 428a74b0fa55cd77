/** The whole HTTP interface on the stores of one process, without a socket: a request is a call. */

import type { FastifyInstance } from 'fastify';
import { either } from 'fp-ts';
import { apiRoutes, httpEdge } from '../../app/edges.ts';
import { readConfig } from '../../app/environment.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { Route } from '../../schemas/http/route.ts';
import { TimeSlices } from '../../schemas/time-slices.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import type { Instance } from './write-side.ts';

export interface HttpSide {
  readonly app: FastifyInstance;
  readonly routes: readonly Route[];
}

export const httpSide = (instance: Instance): HttpSide => {
  const config = readConfig({});
  if (either.isLeft(config)) throw new Error(config.left.join());
  const edge = { config: config.right, logger: createLogger('silent'), metrics: createMetrics(), clock: systemClock };
  const { log, views, keys, tokens, access, presenter, write } = instance;
  const stores = { log, views, keys, tokens, access, presenter, write, slices: new TimeSlices(systemClock) };
  const routes = apiRoutes(edge, stores);
  return { app: httpEdge(edge, stores, routes, () => ({ reasons: [], degraded: [] })), routes };
};

/** Notes the name of every question that is put to a store from now on. @returns takes the names noted so far */
export const questionsTo = (stores: Readonly<Record<string, object>>): (() => readonly string[]) => {
  let asked: string[] = [];
  for (const [name, store] of Object.entries(stores)) {
    const names = new Set<string>();
    for (let at = store; at !== Object.prototype; at = Object.getPrototypeOf(at))
      for (const key of Object.getOwnPropertyNames(at)) if (key !== 'constructor') names.add(key);
    for (const key of names) {
      const method: unknown = Reflect.get(store, key);
      if (typeof method !== 'function') continue;
      const noting = (...given: unknown[]) => {
        asked.push(`${name}.${key}`);
        return method.apply(store, given);
      };
      Object.defineProperty(store, key, { value: noting, configurable: true, writable: true });
    }
  }
  return () => {
    const taken = asked.toSorted();
    asked = [];
    return taken;
  };
};
