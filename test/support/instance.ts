/** A server behind a front, with data that outlive it: what whole-system tests start, kill and start again. */
import { Api } from './api.ts';
import { startFront } from './front.ts';
import { LIMITS_OFF, type Server, type ServerOptions, startServer } from './server.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface Instance {
  /** Address of the front: stays the same. */
  readonly url: string;
  /** Nobody's requests; use `api.as(account)`. */
  readonly api: Api;
  server(): Pick<Server, 'url' | 'alive' | 'kill'>;
  /** Starts a server on the same data after the former one ended. */
  start(): Promise<unknown>;
  /** Kill -9 and start. */
  restart(): Promise<unknown>;
  close(): Promise<void>;
}

/** With its data in a folder. */
export interface EmbeddedInstance extends Instance {
  readonly data: string;
  server(): Server;
  start(): Promise<Server>;
}

/** How a suite gets its server, whatever the profile. @param env `undefined`: limits off; give `{}` for the defaults */
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
