/** Where clients find the socket. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../../schemas/config.ts';

const HOST = /^[\w.-]+(:\d{1,5})?$|^\[[\da-fA-F:.]+\](:\d{1,5})?$/;

/** The socket that is configured; else the public URL's; without one, a socket on the host that the request was sent to. */
export const gatewayUrlOf =
  (config: Pick<Config, 'gatewayUrl' | 'publicUrl' | 'host' | 'port'>) =>
  (request: {
    readonly headers: Readonly<Record<string, string | string[] | undefined>> | IncomingHttpHeaders;
  }): string => {
    if (config.gatewayUrl !== null) return config.gatewayUrl;
    if (config.publicUrl !== null) return `${config.publicUrl.replace(/^http/, 'ws')}/gateway`;
    const { host } = request.headers;
    return `ws://${typeof host === 'string' && HOST.test(host) ? host : `${config.host}:${config.port}`}/gateway`;
  };
