/** The stand-in for a KurrentDB server, with what a bench does to it and asks of it. */

import { fill } from '../../log/kurrentdb/stand-in/filled.testing.ts';
import { StandIn } from '../../log/kurrentdb/stand-in/testing.ts';

const server = new StandIn();

export const kurrentdb = {
  /** @returns its URL */
  async start(_: null): Promise<string> {
    return (await server.start()).url;
  },

  /** Records that it has read for `$all` so far, whether or not it sent them. */
  recordsRead(_: null): number {
    return server.habits.recordsRead;
  },

  /** Connections that are open take everything and answer nothing from now on; later ones work. Then stores an event. */
  swallow(_: null): void {
    for (const connection of server.front.connections) connection.freeze();
    fill(server.store, 1, 1);
  },
};

export type KurrentStandIn = typeof kurrentdb;
