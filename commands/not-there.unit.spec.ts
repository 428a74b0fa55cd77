import { describe, expect, it } from 'vitest';
import { commands } from './features/index.ts';

const check = (type: string, fields: object) => commands.find((one) => one.type === type)!.check!(fields);

const BUTTONS = [{ type: 1, components: [{ type: 2, style: 1, label: 'x' }] }];
const POLL = { question: { text: 'x' } };

/** Command, field, what asks for something, and what does not besides `null` and `[]`. */
const table: [type: string, field: string, asks: unknown, harmless?: unknown][] = [
  ...['message.send', 'message.edit'].flatMap((type): typeof table => [
    [type, 'components', BUTTONS],
    [type, 'attachments', [{ id: 0, filename: 'a.txt' }]],
    [type, 'sticker_ids', ['1']],
    [type, 'poll', POLL],
    [type, 'embed', { title: 'x' }],
    [type, 'tts', true, false],
  ]),
  ['channel.create', 'bitrate', 64_000, 0],
  ['guild.create', 'icon', 'data:image/png;base64,AA==', ''],
  ['guild.create', 'roles', [{ id: 0, name: 'x' }]],
  ['guild.create', 'channels', [{ name: 'x' }]],
  ['guild.create', 'verification_level', 2, 0],
  ['invite.create', 'temporary', true, false],
  ['invite.create', 'target_user_id', '12'],
  ['dm.create', 'access_tokens', ['x']],
];

describe('a field that means something and is not there yet', () => {
  it.each(table)('is refused at its name, of %s: %s', (type, field, asks, harmless = null) => {
    expect(check(type, { [field]: asks })).toMatchObject({
      code: 50035,
      errors: { [field]: { _errors: [{ code: 'FIELD_UNSUPPORTED' }] } },
    });
    for (const nothing of [null, undefined, [], harmless]) expect(check(type, { [field]: nothing })).toBeUndefined();
  });

  it.each([1 << 13, 1 << 15, (1 << 15) | 4, 1, 64])('is refused among the flags of a message: %d', (flags) => {
    for (const type of ['message.send', 'message.edit']) {
      expect(check(type, { content: 'x', flags })).toMatchObject({
        code: 50035,
        errors: { flags: { _errors: [{ code: 'FLAG_UNSUPPORTED' }] } },
      });
      for (const settable of [null, undefined, 0, 4, 4096, 4100])
        expect(check(type, { flags: settable })).toBeUndefined();
    }
  });

  it('is named beside others', () => {
    const refusal = check('message.send', { content: 'x', components: BUTTONS, poll: POLL, sticker_ids: [] });
    expect(Object.keys(refusal!.errors!)).toEqual(['components', 'poll']);
    expect(check('message.send', { content: 'x', unheard_of: true })).toBeUndefined();
  });
});
