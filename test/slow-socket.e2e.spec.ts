/** A client that stops reading must not cost the others anything, and must lose nothing. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Api, type Channel, joined, someName } from './support/api.ts';
import { GatewayClient, NOT_RESUMABLE } from './support/gateway-client.ts';
import { type Instance, startInstance } from './support/instance.ts';
import { LIMITS_OFF } from './support/server.ts';

const MESSAGES = 8_000;
const TEXT = 'x'.repeat(1_900);
const MEGABYTE = 1024 * 1024;

/** Resident memory in bytes. */
const resident = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;

describe('a socket that stops reading', () => {
  let instance: Instance;
  let owner: Api;
  let channel: Channel;
  let slow: GatewayClient;
  let slowToken: string;
  let grown: number;

  const closedBySlowness = async (): Promise<number> => {
    const metrics = await (await fetch(`${instance.server().url}/metrics`)).text();
    return [...metrics.matchAll(/^parley_socket_closes_total\{.*\} (\d+)$/gm)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  };

  beforeAll(async () => {
    instance = await startInstance({ ...LIMITS_OFF, PARLEY_SOCKET_BUDGET_BYTES: String(MEGABYTE) });
    owner = instance.api.as(await instance.api.register(someName('owner')));
    const guild = await owner.createGuild('Slow');
    channel = guild.channel;
    const [account] = await joined(owner, guild, 'slow', 1);
    slowToken = account!.token;
    // Straight to the server: a front in between would read for the one who does not.
    slow = await GatewayClient.identified(instance.server().url, slowToken);
    slow.socket.pause();

    const sender = await GatewayClient.identified(instance.server().url, owner.account!.token, 0);
    const before = resident(instance.server().pid);
    let highest = before;
    for (let sent = 0; sent < MESSAGES; sent += 200) {
      const results = await Promise.all(
        Array.from({ length: 200 }, (_, i) =>
          sender.command({ type: 'message.send', channel_id: channel.id, content: `${sent + i} ${TEXT}` }),
        ),
      );
      expect(results.every((result) => result.ok)).toBe(true);
      highest = Math.max(highest, resident(instance.server().pid));
    }
    grown = highest - before;
    await sender.cut();
  }, 60_000);

  afterAll(async () => {
    await slow?.cut();
    await instance?.close();
  });

  it('is closed although it does not answer', async () => {
    await vi.waitFor(async () => expect(await closedBySlowness()).toBeGreaterThanOrEqual(1), 10_000);
  });

  it('has cost bounded memory', () => {
    expect(grown).toBeLessThan(150 * MEGABYTE);
  });

  it('finds itself closed with a code after which clients resume', async () => {
    slow.socket.resume();
    const code = await slow.closed();
    expect(NOT_RESUMABLE.has(code), `close code ${code}`).toBe(false);
  });

  it('resumes and has then seen everything once, in order', async () => {
    const live = slow.dispatches('MESSAGE_CREATE');
    expect(live.length).toBeLessThan(MESSAGES);
    // The connection may have ended inside a dispatch; what counts is the last position that arrived whole.
    const again = await GatewayClient.resumed(instance.server().url, slowToken, slow.session());
    const all = [...live, ...again.dispatches('MESSAGE_CREATE')];
    expect(all.map((frame) => frame.d.ordinal)).toEqual(Array.from({ length: MESSAGES }, (_, i) => i + 1));
    expect(all.every((frame, i) => frame.d.content === `${i} ${TEXT}`)).toBe(true);
    await again.cut();
  });
});
