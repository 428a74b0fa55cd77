/** What becomes of the sockets of somebody who signs out. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { guildAndPeople, type Station, tokenOf, World } from './testing.ts';

let world: World;
let station: Station;
beforeEach(async () => {
  world = await World.open();
  guildAndPeople(world.story, '10', '1', '2');
  station = await world.station();
});
afterEach(() => world.close());

it('all of a user’s sockets of former generations are closed with 4004, and nobody else’s', async () => {
  const [phone, desktop, other] = await Promise.all(['1', '1', '2'].map((id) => station.identified(id)));
  world.story.signOut('1', 2);
  expect([await phone!.closed(), await desktop!.closed()]).toEqual([4004, 4004]);
  await world.received(other!);
  expect(station.gateway.sessions).toBe(1);
});

it('only the sockets of a sign-in that ended are closed', async () => {
  world.tokens.signIns.set('1', 'phone');
  const phone = await station.identified('1');
  world.tokens.signIns.set('1', 'desktop');
  const desktop = await station.identified('1');
  world.story.signOut('1', 1, [{ id: 'phone', until: 1 }]);
  expect(await phone.closed()).toBe(4004);
  await world.received(desktop);
  world.tokens.signIns.set('1', 'phone');
  const late = await station.connect();
  late.write(2, { token: tokenOf('1'), intents: 0, properties: {} });
  expect(await late.closed()).toBe(4004);
});

it('a session cannot be resumed with a token of a former generation', async () => {
  const client = await station.identified('1');
  const session = { session_id: client.sessionId!, seq: client.seq };
  world.story.signOut('1', 2);
  expect(await client.closed()).toBe(4004);
  const back = await station.connect();
  back.write(6, { token: tokenOf('1'), ...session });
  expect(await back.closed()).toBe(4004);
});

it('a session continues with another token of its generation', async () => {
  world.tokens.signIns.set('1', 'phone');
  const client = await station.identified('1');
  const session = { session_id: client.sessionId!, seq: client.seq };
  client.socket.terminate();
  world.tokens.signIns.set('1', 'desktop');
  await station.resumed('1', session);
});
