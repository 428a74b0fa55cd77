/** In a cluster: a session that is resumed at another gateway leaves its socket at the first. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Takeover } from '../coordination/port.ts';
import type { GatewayClient } from '../test/support/gateway-client.ts';
import { guildAndPeople, type Station, tokenOf, World } from './testing.ts';

describe('a session that two gateways know', () => {
  let world: World;
  let here: Station;
  let there: Station;
  let channel: string;
  /** Told and not yet heard, in the one order in which all gateways hear it. */
  const underWay: Takeover[] = [];
  const arrive = () => {
    for (const takeover of underWay.splice(0)) for (const { gateway } of [here, there]) gateway.takeover(takeover);
  };
  const arrives = async () => {
    await expect.poll(() => underWay.length).toBeGreaterThan(0);
    arrive();
  };

  beforeEach(async () => {
    underWay.length = 0;
    world = await World.open();
    channel = guildAndPeople(world.story, '10', '1', '2');
    const feed = {
      listen: async () => {},
      leave: () => {},
      viewsAt: () => world.views,
      takeover: (takeover: Takeover) => void underWay.push(takeover),
    };
    [here, there] = [await world.station({}, undefined, feed), await world.station({}, undefined, feed)];
  });
  afterEach(() => world.close());

  /** Connects at the station and resumes there. Resolves when it is said to the other gateways. */
  const resumes = async (at: Station, session: { session_id: string; seq: number }) => {
    const before = underWay.length;
    const client = await at.resumed('2', session);
    await expect.poll(() => underWay.length).toBe(before + 1);
    return client;
  };
  const hears = async (client: GatewayClient) => {
    const before = client.dispatches('MESSAGE_CREATE').length;
    world.story.post(channel, '1');
    await expect.poll(() => client.dispatches('MESSAGE_CREATE').length).toBe(before + 1);
  };

  it('is closed where it was, once it is resumed elsewhere, and goes on there', async () => {
    const former = await here.identified('2');
    const other = await here.identified('2');
    const client = await resumes(there, former.session());
    arrive();
    expect(await former.closed()).toBe(4009);
    await hears(client);
    await hears(other);
    await expect.poll(() => [here.gateway.sessions, there.gateway.sessions]).toEqual([1, 1]);
  });

  it('goes to and fro, and each time leaves the socket before', async () => {
    let client = await here.identified('2');
    for (const at of [there, here, there, there, here]) {
      const next = await resumes(at, client.session());
      arrive();
      expect(await client.closed()).toBe(4009);
      await hears(next);
      client = next;
    }
    expect(here.gateway.sessions + there.gateway.sessions).toBe(1);
  });

  it('stays with the last to take it over, when both do at once', async () => {
    const first = await here.identified('2');
    const session = first.session();
    const earlier = await resumes(there, session);
    const later = await resumes(here, session);
    expect(await first.closed()).toBe(4009);
    arrive();
    expect(await earlier.closed()).toBe(4009);
    await hears(later);
    await expect.poll(() => [here.gateway.sessions, there.gateway.sessions]).toEqual([1, 0]);
  });

  it('stays where it is when what it hears was told before, or is told again', async () => {
    const first = await here.identified('2');
    const elsewhere = await resumes(there, first.session());
    const [old] = underWay;
    arrive();
    expect(await first.closed()).toBe(4009);
    const client = await resumes(here, elsewhere.session());
    // Heard late: it comes before this socket's own.
    here.gateway.takeover(old!);
    const [own] = underWay;
    arrive();
    here.gateway.takeover(own!);
    await hears(client);
  });

  it('stays where it is when somebody else asks for it elsewhere', async () => {
    const former = await here.identified('2');
    const thief = await there.connect();
    thief.resume(tokenOf('1'), former.session());
    await thief.until((frames) => frames.some(({ op }) => op === 9), 'op 9');
    arrive();
    await hears(former);
  });

  it('is not closed by what is said of other sessions of its person', async () => {
    const [one, other] = [await here.identified('2'), await here.identified('2')];
    const moved = await resumes(there, one.session());
    await arrives();
    expect(await one.closed()).toBe(4009);
    await hears(other);
    await hears(moved);
  });
});
