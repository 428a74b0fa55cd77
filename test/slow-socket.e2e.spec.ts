/** A client that stops reading costs the others nothing, and loses nothing itself. */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Api, type Channel, joined, someName } from './support/api.ts';
import { GatewayClient, NOT_RESUMABLE } from './support/gateway-client.ts';
import { type EmbeddedInstance, startInstance } from './support/instance.ts';
import { LIMITS_OFF } from './support/server.ts';

/** More bytes than the kernel buffers of a loopback connection hold, so that they would pile up in the server. */
const MESSAGES = 8_000;
const REHEARSAL = 3_000;
/** Enough clients that a queue for each would far outweigh caches and garbage. */
const SLOW = 40;
const TEXT = 'x'.repeat(1_900);
const MEGABYTE = 1024 * 1024;

/** Resident memory in bytes. */
const resident = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;

describe('a socket that stops reading', () => {
  let instance: EmbeddedInstance;
  let owner: Api;
  let channel: Channel;
  let slow: GatewayClient[];
  let token: string;
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
    token = account!.token;
    const sender = await GatewayClient.identified(instance.server().url, owner.account!.token, 0);
    /** @returns the highest resident memory meanwhile */
    const flood = async (channelId: string, count: number): Promise<number> => {
      let highest = 0;
      for (let sent = 0; sent < count; sent += 200) {
        const results = await Promise.all(
          Array.from({ length: 200 }, (_, i) =>
            sender.command({ type: 'message.send', channel_id: channelId, content: `${sent + i} ${TEXT}` }),
          ),
        );
        expect(results.every((result) => result.ok)).toBe(true);
        highest = Math.max(highest, resident(instance.server().pid));
      }
      return highest;
    };

    // The same load with nobody listening shows what the server needs for itself.
    const alone = await flood((await owner.createChannel(guild.id, { name: 'rehearsal' })).id, REHEARSAL);
    // Connects straight to the server: a front in between would read on behalf of the clients.
    slow = await Promise.all(
      Array.from({ length: SLOW }, () => GatewayClient.identified(instance.server().url, token)),
    );
    for (const { socket } of slow) socket.pause();
    grown = (await flood(channel.id, MESSAGES)) - alone;
    await sender.cut();
  }, 90_000);

  afterAll(async () => {
    for (const client of slow ?? []) await client.cut();
    await instance?.close();
  });

  it('is closed although it does not answer', async () => {
    await vi.waitFor(async () => expect(await closedBySlowness()).toBe(SLOW), 10_000);
  });

  it('costs bounded memory', () => {
    // A copy per client of what the kernel has no room for would take 400 MB. Caches and garbage take half of this.
    expect(grown / MEGABYTE).toBeLessThan(250);
  });

  it('is closed with a code after which clients resume', async () => {
    for (const client of slow) {
      client.socket.resume();
      const code = await client.closed();
      expect(NOT_RESUMABLE.has(code), `close code ${code}`).toBe(false);
    }
  });

  it('resumes, and then has seen everything once, in order', async () => {
    const [client] = slow;
    const live = client!.dispatches('MESSAGE_CREATE');
    expect(live.length).toBeLessThan(MESSAGES);
    // The connection may end inside a dispatch, so the last position that arrived completely counts.
    const again = await GatewayClient.resumed(instance.server().url, token, client!.session());
    const all = [...live, ...again.dispatches('MESSAGE_CREATE')];
    expect(all.map((frame) => frame.d.ordinal)).toEqual(Array.from({ length: MESSAGES }, (_, i) => i + 1));
    expect(all.every((frame, i) => frame.d.content === `${i} ${TEXT}`)).toBe(true);
    await again.cut();
  });
});
