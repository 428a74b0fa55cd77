/** The servers that a KurrentDB URL names, and how we show who we are. */

import { readFileSync } from 'node:fs';
import { parseConnectionString } from '@eventstore/db-client/dist/Client/parseConnectionString.js';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { connectionStringOf } from './connection.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Servers {
  readonly endpoints: readonly Endpoint[];
  /** Whether these are nodes of a cluster to be asked for their leader. */
  readonly isCluster: boolean;
  readonly credentials: ChannelCredentials;
  /** Sent with every append: who we are, and that only the leader may take it. */
  readonly metadata: Metadata;
}

export const nameOf = ({ address, port }: Endpoint): string => `${address}:${port}`;

/** A connection of its own: grpc-js shares one among channels with equal arguments, however dead it is. */
export const OWN_CONNECTION = { 'grpc.use_local_subchannel_pool': 1 };

const contentOf = (file: string | undefined): Buffer | null => (file === undefined ? null : readFileSync(file));

/** @throws when the URL is malformed, or names certificates that cannot be read */
export const serversOf = (url: string): Servers => {
  const options = parseConnectionString(connectionStringOf(url));
  const { hosts, dnsDiscover, tls = true, defaultCredentials: user } = options;
  const metadata = new Metadata();
  metadata.set('connection-name', options.connectionName ?? 'parley-appends');
  metadata.set('requires-leader', 'true');
  // Like the client, never in the clear.
  if (user !== undefined && tls) {
    const secret = Buffer.from(`${user.username}:${user.password}`).toString('base64');
    metadata.set('authorization', `Basic ${secret}`);
  }
  return {
    endpoints: dnsDiscover ? hosts.slice(0, 1) : hosts,
    isCluster: dnsDiscover || hosts.length > 1,
    credentials: tls
      ? credentials.createSsl(
          contentOf(options.tlsCAFile),
          contentOf(options.userKeyFile),
          contentOf(options.userCertFile),
        )
      : credentials.createInsecure(),
    metadata,
  };
};
