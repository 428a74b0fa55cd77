import { afterEach, expect, it } from 'vitest';
import { Instance } from '../test/support/write-side.ts';
import { refusal } from './testing.ts';

let instance: Instance;
afterEach(() => instance.close());

it('a name of which nothing is seen is refused for guilds, channels and applications', async () => {
  instance = await Instance.open();
  const ann = await instance.register('ann');
  const guild = await instance.guild(ann);
  for (const name of ['  ', '\u3164\u3164', '\u200b\u2800', '\ufe0f\ufe0f']) {
    const asked = [
      await instance.submit(ann, 'guild.create', { name }),
      await instance.submit(ann, 'channel.create', { guild_id: guild.id, name }),
      await instance.submit(ann, 'application.create', { name }),
    ];
    expect(asked.map(({ outcome }) => refusal(outcome))).toEqual(['invalidForm', 'invalidForm', 'invalidForm']);
  }
});

it('a channel keeps of its overwrites what they are made of, and no more', async () => {
  instance = await Instance.open();
  const ann = await instance.register('ann');
  const guild = await instance.guild(ann);
  const overwrite = { id: guild.id, type: 0, allow: '0', deny: '1' };
  const create = (permission_overwrites: unknown) =>
    instance.submit(ann, 'channel.create', { guild_id: guild.id, name: 'more', permission_overwrites });
  await create([{ ...overwrite, note: 'x'.repeat(1000) }]);
  const events = await instance.events('channel-created');
  expect(events.at(-1)?.data).toMatchObject({ overwrites: [overwrite] });
  expect(JSON.stringify(events.at(-1))).not.toContain('xxx');
  expect(refusal((await create(Array(101).fill(overwrite))).outcome)).toBe('invalidForm');
  expect(refusal((await create([{ ...overwrite, deny: '9'.repeat(21) }])).outcome)).toBe('invalidForm');
});

it('an overwrite has its id and its bits in their one spelling, and a channel has one for each id', async () => {
  instance = await Instance.open();
  const ann = await instance.register('ann');
  const { id } = await instance.guild(ann);
  const hiding = { id, type: 0, allow: '0', deny: '1024' } as const;
  const create = (...permission_overwrites: object[]) =>
    instance.ask(ann, 'channel.create', { guild_id: id, name: 'private', permission_overwrites } as never);
  const wrong = [
    [{ ...hiding, id: `0${id}` }],
    [{ ...hiding, id: '9223372036854775808' }],
    [{ ...hiding, deny: '01024' }],
    [{ ...hiding, allow: '18446744073709551616' }],
    [hiding, { ...hiding, allow: '1024', deny: '0' }],
    [hiding, { ...hiding, type: 1 }],
  ];
  for (const overwrites of wrong) expect(refusal(await create(...overwrites))).toBe('invalidForm');
  expect(refusal(await create({ ...hiding, deny: '18446744073709551615' }))).toBeUndefined();
});
