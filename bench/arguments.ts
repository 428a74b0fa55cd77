/** What `npm run bench` is asked for. */

import { parseArgs } from 'node:util';
import { serversOf } from '../stores/kurrentdb/servers.ts';

const URL_FORM = 'esdb://[user:password@]host:port[,host:port][?tls=false]';

export const USAGE = `npm run bench [-- name...] [--json] [--url ${URL_FORM}]`;

export interface Asked {
  readonly names: readonly string[];
  readonly json: boolean;
  readonly help: boolean;
  /** Of the KurrentDB server to measure. */
  readonly url: string | undefined;
}

/** @throws TypeError that says what is wrong, without repeating a URL, which may contain a password */
export const readArguments = (given: readonly string[]): Asked => {
  const { values, positionals } = parseArgs({
    args: [...given],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      url: { type: 'string' },
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
  return { names: positionals, json, help, url };
};
