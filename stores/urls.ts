/** URLs that name several servers, which the platform's `URL` cannot read. */

interface Shape {
  /** The expected form, for error messages. */
  readonly form: string;
  readonly schemes: readonly string[];
  /** Default port. Without it, every host must give its port. */
  readonly port?: number;
  /** Allowed path after `/`. */
  readonly path?: RegExp;
  /** Allowed options after `?`. */
  readonly options?: readonly string[];
  /** Whether a password without a user is allowed. */
  readonly userless?: boolean;
}

export interface ServersUrl {
  readonly scheme: string;
  /** At least one; IPv6 addresses without their brackets. */
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly path: string;
  readonly options: ReadonlyMap<string, string>;
}

const URL =
  /^(?<scheme>[a-z]+):\/\/(?:(?<user>[^:@/]*):(?<password>[^@/]*)@)?(?<hosts>[^@/?#]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/;
const HOST = /^(?<host>\[[0-9a-f:.]+\]|[^:[\]]+)(?::(?<port>\d{1,5}))?$/i;

const decoded = (text: string | undefined): string | undefined => (text ? decodeURIComponent(text) : undefined);

/**
 * Reads `scheme://[user:password@]host[:port][,host[:port]][/path][?option=value]`. User and password may be
 * percent-encoded.
 * @throws TypeError for an invalid URL. The message never repeats the URL, which may contain a password.
 */
export const parseServers = (url: string, shape: Shape): ServersUrl => {
  const { form, schemes, path: allowed = /^$/, options: known = [], userless = false } = shape;
  const refused = () => new TypeError(`Write ${form}`);
  const { scheme = '', user, password, hosts = '', path = '', query } = URL.exec(url)?.groups ?? {};
  if (!schemes.includes(scheme) || !allowed.test(path) || (user === '' && !userless)) throw refused();
  const servers = hosts.split(',').map((text) => {
    const { host, port = shape.port } = HOST.exec(text)?.groups ?? {};
    if (host === undefined || port === undefined) throw refused();
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  });
  const options = new Map(new URLSearchParams(query));
  for (const name of options.keys())
    if (!known.includes(name))
      throw new TypeError(
        known.length === 0
          ? `${schemes[0]}:// has no options`
          : `${schemes[0]}:// has the options ${known.join(' and ')}, not ${name}`,
      );
  try {
    return { scheme, servers, username: decoded(user), password: decoded(password), path, options };
  } catch {
    throw new TypeError(`A % in user or password of ${schemes[0]}:// is written %25`);
  }
};

/** `host:port`, with an IPv6 address in brackets. */
export const addressOf = ({ host, port }: ServersUrl['servers'][number]): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** The part of a store's URL that is safe to show: its hosts, without user and password. */
export const hostsOf = (url: string): string =>
  url
    .replace(/^[a-z+]+:\/\//, '')
    .replace(/^[^@/]*@/, '')
    .replace(/[/?].*$/, '');
