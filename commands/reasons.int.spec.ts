import { afterAll, beforeAll, expect, it } from 'vitest';
import { Instance } from '../test/support/write-side.ts';
import { openText } from '../vault/sealing.ts';

let instance: Instance;
let ann: string;
let guild: { id: string; channel: string };
beforeAll(async () => {
  instance = await Instance.open();
  ann = await instance.register('ann');
  guild = await instance.guild(ann);
});
afterAll(() => instance.close());

it("a reason is sealed under its actor's key, in the event of the act", async () => {
  await instance.do(ann, 'role.create', { guild_id: guild.id, name: 'a' }, { reason: 'we need "it"' });
  await instance.do(ann, 'role.create', { guild_id: guild.id, name: 'b' });
  const [withReason, without] = await instance.events('role-created');
  expect(without!.data).not.toHaveProperty('reason');
  const { sealed } = withReason!.data.reason!;
  expect(sealed.by).toBe(ann);
  expect(JSON.stringify(withReason)).not.toContain('need');
  const place = { stream: withReason!.stream, eventId: withReason!.id };
  expect(openText(await instance.keys.get(ann), place, sealed)).toBe('"we need \\"it\\""');
});

it('what the audit log does not name keeps no reason', async () => {
  await instance.send(ann, guild.channel, 'hello', { reason: 'because' });
  const [posted] = await instance.events('message-posted');
  expect(posted!.data).not.toHaveProperty('reason');
});
