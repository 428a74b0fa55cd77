import { describe, expect, it } from 'vitest';
import { readArguments } from './arguments.ts';

describe('the arguments of the benches', () => {
  it('are names, and perhaps a server of KurrentDB', () => {
    const url = 'esdb://admin:secret@127.0.0.1:2113?tls=false';
    expect(readArguments(['log-kurrentdb', '--url', url])).toEqual({
      names: ['log-kurrentdb'],
      json: false,
      help: false,
      url,
      peers: {},
    });
    expect(readArguments(['fanout', 'resume', '--json'])).toMatchObject({
      names: ['fanout', 'resume'],
      url: undefined,
    });
  });

  it.each(['http://127.0.0.1:2113', '127.0.0.1:2113', 'esdb://', 'esdb://admin:secret@127.0.0.1:port', ''])(
    'refuse a URL of no such server without repeating it: %s',
    (url) => {
      expect(() => readArguments(['log-kurrentdb', '--url', url])).toThrow(
        /^--url must be the URL of a KurrentDB server: esdb:/,
      );
      expect(() => readArguments(['log-kurrentdb', '--url', url])).not.toThrow('secret');
    },
  );

  it('are servers of peers too', () => {
    const [centrifugo, tinode] = ['ws://127.0.0.1:8000/connection/websocket', 'ws://al:secret@[::1]:6060/v0/channels'];
    expect(readArguments(['peers', '--centrifugo', centrifugo]).peers).toEqual({ centrifugo });
    expect(readArguments(['peers', '--centrifugo', centrifugo, '--tinode', tinode]).peers).toEqual({
      centrifugo,
      tinode,
    });
    for (const url of ['wss://al:secret@example.com', 'al:secret@example.com', '']) {
      expect(() => readArguments(['peers', '--tinode', url])).toThrow(/^--tinode must be the URL of a server: ws:/);
      expect(() => readArguments(['peers', '--tinode', url])).not.toThrow('secret');
    }
  });

  it('refuse a URL that is missing, and options that nobody knows', () => {
    expect(() => readArguments(['log-kurrentdb', '--url'])).toThrow('--url');
    expect(() => readArguments(['--servers', '3'])).toThrow('--servers');
  });
});
