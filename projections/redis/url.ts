/** `redis://[user:password@]host:port[,host:port][/db]`, which the platform's URL cannot read. `rediss` is TLS. */

export interface RedisUrl {
  /** More than one: nodes of a Redis Cluster, first to be asked. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly tls: boolean;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const SHAPE =
  /^(?<scheme>rediss?):\/\/(?:(?<user>[^:@/]*):(?<password>[^@/]*)@)?(?<hosts>[^@/?#]+)(?:\/(?<database>\d{0,4}))?$/;
const HOST = /^(?<host>\[[0-9a-f:.]+\]|[^:[\]]+)(?::(?<port>\d{1,5}))?$/i;
const PORT = '6379';

/** @throws TypeError when it is none; the message never repeats the URL, which may hold a password. */
export const parseRedisUrl = (url: string): RedisUrl => {
  const { scheme, user, password, hosts, database } = SHAPE.exec(url)?.groups ?? {};
  const nodes = (hosts ?? '').split(',').map((text) => {
    const { host, port } = HOST.exec(text)?.groups ?? {};
    if (host === undefined) throw new TypeError('Write redis://[user:password@]host:port[,host:port][/database]');
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? PORT) };
  });
  if (nodes.length > 1 && Number(database ?? 0) !== 0)
    throw new TypeError('A Redis Cluster has no databases besides 0: leave it out of redis://');
  return {
    nodes,
    tls: scheme === 'rediss',
    database: Number(database ?? 0),
    username: user ? decodeURIComponent(user) : undefined,
    password: password ? decodeURIComponent(password) : undefined,
  };
};
