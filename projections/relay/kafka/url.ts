/** `kafka://[user:password@]host:port[,host:port][?sasl=scram-sha-512]`, which the platform's URL cannot read. */

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
type Mechanism = (typeof MECHANISMS)[number];

export interface KafkaUrl {
  /** `host:port`, first to be asked. */
  readonly brokers: readonly string[];
  /** `kafkas://` */
  readonly tls: boolean;
  readonly sasl: { readonly mechanism: Mechanism; readonly username: string; readonly password: string } | undefined;
}

const SHAPE =
  /^(?<scheme>kafkas?):\/\/(?:(?<user>[^:@/]+):(?<password>[^@/]*)@)?(?<hosts>[^/?#]+)\/?(?:\?(?<query>[^#]*))?$/;
const HOST = /^(\[[0-9a-f:]+\]|[^:[\]]+):\d+$/i;

/** @throws TypeError when it is none; the message never repeats the URL, which may hold a password. */
export const parseKafkaUrl = (url: string): KafkaUrl => {
  const { scheme, user, password, hosts, query } = SHAPE.exec(url)?.groups ?? {};
  const brokers = hosts?.split(',') ?? [];
  if (brokers.length === 0 || !brokers.every((host) => HOST.test(host)))
    throw new TypeError('Write kafka://[user:password@]host:port[,host:port]?sasl=plain, or kafkas:// for TLS');
  const options = new URLSearchParams(query);
  for (const name of options.keys())
    if (name !== 'sasl') throw new TypeError(`kafka:// has the option sasl, not ${name}`);
  const named = options.get('sasl') ?? 'plain';
  const mechanism = MECHANISMS.find((known) => known === named);
  if (mechanism === undefined) throw new TypeError(`sasl is one of ${MECHANISMS.join(', ')}`);
  if (options.has('sasl') && user === undefined) throw new TypeError('sasl needs a user and a password');
  return {
    brokers,
    tls: scheme === 'kafkas',
    sasl:
      user === undefined
        ? undefined
        : { mechanism, username: decodeURIComponent(user), password: decodeURIComponent(password ?? '') },
  };
};
