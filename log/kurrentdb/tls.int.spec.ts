import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { AppendFailed } from '../../stores/kurrentdb/append-failures.ts';
import { startTime } from '../../stores/kurrentdb/append-time.ts';
import { AppendingConnection } from '../../stores/kurrentdb/appending-connection.ts';
import { batch, sequences, stored } from '../testing.ts';
import { openKurrentEventLog } from './event-log.ts';
import { proposed } from './events.ts';
import { StandIn } from './stand-in/testing.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.runIf(hasOpenssl)('a server with TLS', () => {
  let folder: string;
  let server: StandIn;
  const file = (name: string) => join(folder, name);
  const urlWith = (more: string) => `esdb://admin:changeit@127.0.0.1:${server.port}?tls=true${more}`;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parley-tls-'));
    const made = ['-keyout', file('key.pem'), '-out', file('certificate.pem'), '-days', '2'];
    const about = ['-subj', '/CN=stand-in', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...made, ...about], { stdio: 'ignore' });
    server = await new StandIn({
      key: readFileSync(file('key.pem')),
      certificate: readFileSync(file('certificate.pem')),
    }).start();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  it('takes appends and answers reads where its authority is known, and hears who asks', async () => {
    const url = urlWith(`&tlsCAFile=${encodeURIComponent(file('certificate.pem'))}`);
    const log = await openKurrentEventLog({ clock: systemClock, url });
    stored(await log.append(batch('channel-1', 0, 2)));
    expect(sequences(await log.readStream({ stream: 'channel-1', limit: 10 }))).toEqual([1, 2]);
    expect(server.authorizations).toContain(`Basic ${Buffer.from('admin:changeit').toString('base64')}`);
    await log.close();
  });

  it('is not trusted elsewhere: an append says that its certificate is not accepted', async () => {
    const connection = new AppendingConnection(urlWith(''), 2_000, systemClock);
    const one = { stream: 'channel-2', expected: 'no_stream', events: [proposed('member-left', {})] } as const;
    const failure = await connection.append(one, startTime(5_000, systemClock)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AppendFailed);
    expect(failure).toMatchObject({
      passing: true,
      mayBeStored: false,
      message: expect.stringMatching(
        /^The certificate of KurrentDB at 127\.0\.0\.1:\d+ is not accepted: .*self-signed/,
      ),
    });
    connection.close();
  });

  it('names the file of an authority that cannot be read', async () => {
    const url = urlWith('&tlsCAFile=/nowhere/ca.pem');
    await expect(openKurrentEventLog({ clock: systemClock, url })).rejects.toThrow(/ertificate.*not found|nowhere/);
  });
});
