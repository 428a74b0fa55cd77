import { describe, expect, it } from 'vitest';
import { gatewayUrlOf } from './server.ts';

describe('the gateway URL', () => {
  const local = gatewayUrlOf({ gatewayUrl: null, publicUrl: null, host: '127.0.0.1', port: 7480 });

  it('is the configured one', () => {
    const configured = { gatewayUrl: 'wss://socket.example', publicUrl: 'https://chat.example', host: 'h', port: 1 };
    expect(gatewayUrlOf(configured)({ headers: { host: 'other' } })).toBe('wss://socket.example');
  });

  it('is on the public URL if there is one, with the same security', () => {
    const of = (publicUrl: string) =>
      gatewayUrlOf({ gatewayUrl: null, publicUrl, host: 'h', port: 1 })({ headers: { host: 'other' } });
    expect(of('https://chat.example')).toBe('wss://chat.example/gateway');
    expect(of('http://chat.example:8080/parley')).toBe('ws://chat.example:8080/parley/gateway');
  });

  it.each(['chat.example', '127.0.0.1:9', '[::1]:7480'])('is on the host that the request was sent to: %s', (host) => {
    expect(local({ headers: { host } })).toBe(`ws://${host}/gateway`);
  });

  it.each([undefined, '', 'a b', 'x/y', 'user@host', '"'])(
    "is at the server's own address when the host is %j",
    (host) => {
      expect(local({ headers: { ...(host === undefined ? {} : { host }) } })).toBe('ws://127.0.0.1:7480/gateway');
    },
  );
});
