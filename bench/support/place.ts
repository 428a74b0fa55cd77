/** A server with a guild in it, on a data folder that is removed afterwards. */
import { Api, type Channel, someName } from '../../test/support/api.ts';
import { LIMITS_OFF, type Server, startServer } from '../../test/support/server.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';

export const BENCH_ENV = {
  ...LIMITS_OFF,
  // Sessions of a bench send no heartbeats, so that only the measured work happens.
  PARLEY_HEARTBEAT_MS: '600000',
  PARLEY_LOG_LEVEL: 'error',
  // The options of `npm start` and the image.
  NODE_OPTIONS: '--v8-pool-size=1 --max-semi-space-size=32',
};

/** Long enough to build views of a million events. */
const START_TIMEOUT = 180_000;

export interface Place {
  readonly data: string;
  readonly owner: { readonly id: string; readonly token: string; readonly authorization: string };
  readonly guildId: string;
  readonly channel: Channel;
  server(): Server;
  /** Sends the owner's requests to the running server. */
  api(): Api;
  /** Ids of this many channels of the guild, which are made as far as they are missing. */
  channels(count: number): Promise<string[]>;
  start(): Promise<Server>;
  /** Stops the server with SIGTERM, so that the next start has nothing to repair. */
  stop(): Promise<void>;
  remove(): Promise<void>;
}

/** @param more variables for the server */
export const startPlace = async (more: Readonly<Record<string, string>> = {}): Promise<Place> => {
  const folder = temporaryFolder();
  let server: Server;
  const start = async () => {
    server = await startServer({ data: folder.path, env: { ...BENCH_ENV, ...more }, timeoutMs: START_TIMEOUT });
    return server;
  };
  await start();
  const owner = await new Api(server!.url).register(someName('owner'));
  const api = () => new Api(server.url, owner);
  const guild = await api().createGuild('Bench');
  return {
    data: folder.path,
    owner,
    guildId: guild.id,
    channel: guild.channel,
    server: () => server,
    api,
    channels: async (count) => {
      const ids = [guild.channel.id];
      while (ids.length < count) ids.push((await api().createChannel(guild.id, { name: `channel-${ids.length}` })).id);
      return ids;
    },
    start,
    stop: async () => {
      await server.stop();
    },
    remove: async () => {
      if (server.alive()) await server.kill();
      folder.remove();
    },
  };
};
