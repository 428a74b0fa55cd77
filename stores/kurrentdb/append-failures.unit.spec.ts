import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { endOfStream } from './append-failures.ts';

const error = (code: status, details: string, told: Readonly<Record<string, string>> = {}): ServiceError => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(told)) metadata.set(name, value);
  return Object.assign(new Error(`${code} ${status[code]}: ${details}`), { code, details, metadata });
};
const end = (...about: Parameters<typeof error>) => endOfStream(error(...about), 'db:2113');

describe('the end of a stream of appends', () => {
  it.each([
    ['busy', error(status.UNAVAILABLE, 'Server Is Busy'), /busy or not ready/, true],
    ['not ready', error(status.UNAVAILABLE, 'Server Is Not Ready'), /busy or not ready/, true],
    [
      'without a leader',
      error(status.UNKNOWN, 'Exception ... No leader info available in response'),
      /knows none/,
      true,
    ],
    ['no leader, and silent about it', error(status.NOT_FOUND, 'something'), /is not the leader/, true],
    [
      'gone',
      error(status.UNAVAILABLE, 'No connection established. Last error: ECONNREFUSED'),
      /cannot be reached/,
      false,
    ],
    [
      'of an unknown authority',
      error(status.UNAVAILABLE, 'Last error: self-signed certificate'),
      /certificate of/,
      false,
    ],
    ['out of room', error(status.RESOURCE_EXHAUSTED, 'message larger than max'), /too large/, false],
    ['stopping', error(status.CANCELLED, 'Call cancelled'), /ended the connection/, false],
  ])('says that the server is %s, and passes', (_, failure, said, turnedAway) => {
    const told = endOfStream(failure, 'db:2113');
    expect(told).toMatchObject({ passing: true, turnedAway });
    expect(told.message).toMatch(said);
    expect(told.message).toContain('KurrentDB at db:2113');
  });

  it.each([
    ['does not know our user', status.UNAUTHENTICATED, /does not accept our user/],
    ['gives us no right', status.PERMISSION_DENIED, /no right to append/],
    ['is too old', status.UNIMPLEMENTED, /23\.10 or later/],
  ])('says that the server %s, and does not pass', (_, code, said) => {
    expect(end(code, 'whatever')).toMatchObject({ passing: false, message: expect.stringMatching(said) });
  });

  it('names the leader that the server knows, whatever the words', () => {
    const leader = { 'leader-endpoint-host': 'db-2', 'leader-endpoint-port': '2114' };
    expect(end(status.NOT_FOUND, 'Leader info available', leader)).toEqual({
      message: 'KurrentDB at db:2113 is not the leader, which is db-2:2114',
      passing: true,
      turnedAway: true,
      leader: { address: 'db-2', port: 2114 },
    });
  });
});
