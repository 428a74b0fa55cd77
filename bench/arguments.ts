/** What `npm run bench` is asked for. */

import { parseArgs } from 'node:util';
import { serversOf } from '../stores/kurrentdb/servers.ts';
import type { PeerUrls } from './peers/index.ts';

const URL_FORM = 'esdb://[user:password@]host:port[,host:port][?tls=false]';

const PEER_FORMS = {
  centrifugo: 'ws://host:port/connection/websocket',
  tinode: 'ws://name:password@host:port/v0/channels?apikey=...',
};
const PEERS = ['centrifugo', 'tinode'] as const;

export const USAGE = [
  'npm run bench [-- name...] [--json]',
  '',
  'Without a name the benches of the embedded profile run. cluster, log-kurrentdb and peers stand for all of theirs.',
  '',
  `  --json         print JSON`,
  `  --url          of a KurrentDB server for log-kurrentdb, in place of the stand-in: ${URL_FORM}`,
  ...PEERS.map((peer) => `  --${peer.padEnd(12)} of a server for peers: ${PEER_FORMS[peer]}`),
].join('\n');

export interface Asked {
  readonly names: readonly string[];
  readonly json: boolean;
  readonly help: boolean;
  /** Of the KurrentDB server to measure. */
  readonly url: string | undefined;
  /** Only those that are given. */
  readonly peers: PeerUrls;
}

/** Sockets without TLS. */
const isPlain = (url: string): boolean => URL.canParse(url) && new URL(url).protocol === 'ws:';

/** @throws TypeError that says what is wrong, without repeating a URL, which may contain a password */
export const readArguments = (given: readonly string[]): Asked => {
  const { values, positionals } = parseArgs({
    args: [...given],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      url: { type: 'string' },
      centrifugo: { type: 'string' },
      tinode: { type: 'string' },
    },
  });
  const { json, help, url } = values;
  if (url !== undefined) {
    try {
      serversOf(url);
    } catch {
      throw new TypeError(`--url must be the URL of a KurrentDB server: ${URL_FORM}`);
    }
  }
  const peers: Record<string, string> = {};
  for (const peer of PEERS) {
    const given = values[peer];
    if (given === undefined) continue;
    if (!isPlain(given)) throw new TypeError(`--${peer} must be the URL of a server: ${PEER_FORMS[peer]}`);
    peers[peer] = given;
  }
  return { names: positionals, json, help, url, peers };
};
