/** `cassandra://[user:password@]host:port[,host:port]?dc=datacenter1&tls=true`, which the platform's URL cannot read. */

export interface CassandraUrl {
  /** `host:port`, first to be asked. */
  readonly contactPoints: readonly string[];
  readonly localDataCenter: string;
  readonly tls: boolean;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
}

const SHAPE = /^cassandra:\/\/(?:(?<user>[^:@/]+):(?<password>[^@/]*)@)?(?<hosts>[^/?#]+)\/?(?:\?(?<query>[^#]*))?$/;
const HOST = /^(\[[0-9a-f:]+\]|[^:[\]]+):\d+$/i;
const DATA_CENTRE = 'datacenter1';

/** @throws TypeError when it is none; the message never repeats the URL, which may hold a password. */
export const parseCassandraUrl = (url: string): CassandraUrl => {
  const { user, password, hosts, query } = SHAPE.exec(url)?.groups ?? {};
  const contactPoints = hosts?.split(',') ?? [];
  if (contactPoints.length === 0 || !contactPoints.every((host) => HOST.test(host)))
    throw new TypeError('Write cassandra://[user:password@]host:port[,host:port]?dc=datacenter1&tls=true');
  const options = new URLSearchParams(query);
  for (const name of options.keys())
    if (name !== 'dc' && name !== 'tls') throw new TypeError(`cassandra:// has the options dc and tls, not ${name}`);
  return {
    contactPoints,
    localDataCenter: options.get('dc') ?? DATA_CENTRE,
    tls: options.get('tls') === 'true',
    credentials:
      user === undefined
        ? undefined
        : { username: decodeURIComponent(user), password: decodeURIComponent(password ?? '') },
  };
};

/**
 * @param namespace of the installation: lower-case letters, digits, `-` and `_`, a letter first, 48 characters at most.
 * @throws TypeError for any other
 */
export const keyspaceOf = (namespace: string): string => {
  const keyspace = namespace.replaceAll('-', '_');
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(keyspace)) throw new TypeError(`No keyspace can be named after "${namespace}"`);
  return keyspace;
};
