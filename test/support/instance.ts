/** A server behind a front, whose data outlive it. Whole-system tests start, kill and restart it. */
import { type Account, Api } from './api.ts';
import { startFront } from './front.ts';
import { LIMITS_OFF, type Server, type ServerOptions, startServer } from './server.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface Instance {
  /** Address of the front. It never changes. */
  readonly url: string;
  /** Requests without an account; use `api.as(account)` for one. */
  readonly api: Api;
  /** Whoever registered first, and administers the server. Absent where nobody has registered. */
  readonly administrator?: Account;
  server(): Pick<Server, 'url' | 'alive' | 'kill'>;
  /** Starts a server on the same data after the previous one ended. */
  start(): Promise<unknown>;
  /** Kills the server with -9 and starts it again. */
  restart(): Promise<unknown>;
  close(): Promise<void>;
}

/** An instance whose data are in a folder. */
export interface EmbeddedInstance extends Instance {
  readonly data: string;
  server(): Server;
  start(): Promise<Server>;
}

/** How a suite gets its server, in either profile. @param env `undefined`: limits off; `{}`: the defaults */
export type StartInstance = (env?: Readonly<Record<string, string>>) => Promise<Instance>;

/** The embedded profile. @param env as in `StartInstance` */
export const startInstance = async (
  env: Readonly<Record<string, string>> = LIMITS_OFF,
  options: Pick<ServerOptions, 'under'> = {},
): Promise<EmbeddedInstance> => {
  const folder = temporaryFolder();
  const front = await startFront();
  let server: Server | undefined;
  const start = async () => {
    server = await startServer({ ...options, data: folder.path, env: { ...env, PARLEY_PUBLIC_URL: front.url } });
    front.forwardTo(server.port);
    return server;
  };
  const close = async () => {
    if (server?.alive()) await server.kill();
    await front.close();
    folder.remove();
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: front.url,
    data: folder.path,
    api: new Api(front.url),
    server: () => server!,
    start,
    restart: async () => {
      await server!.kill();
      return start();
    },
    close,
  };
};
