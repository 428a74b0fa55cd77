import { describe, expect, it } from 'vitest';
import { allowedMentions, mentionsIn, tellsRepliedTo } from './mentions.ts';

const all = { everyone: true, users: true } as const;

describe('mentions in a text', () => {
  it('are users, each once, in the order written', () => {
    expect(mentionsIn('<@2> and <@!1>, <@2> again', all, true)).toEqual({ users: ['2', '1'], everyone: false });
  });

  it('are not text that merely looks like one', () => {
    for (const text of [
      '<@>',
      '<@abc>',
      '@2',
      '<@&5>',
      '<#7>',
      '<@12345678901234567890>',
      'everyone',
      'a@everyoneelse',
    ])
      expect(mentionsIn(text, all, true)).toEqual({ users: [], everyone: false });
  });

  it('include everyone only if the author may and wants to', () => {
    expect(mentionsIn('hey @everyone!', all, true).everyone).toBe(true);
    expect(mentionsIn('@here', all, true).everyone).toBe(true);
    expect(mentionsIn('@everyone', all, false).everyone).toBe(false);
    expect(mentionsIn('@everyone', { everyone: false, users: true }, true).everyone).toBe(false);
  });

  it('are at most a hundred users', () => {
    const text = Array.from({ length: 150 }, (_, i) => `<@${i + 1}>`).join('');
    expect(mentionsIn(text, all, true).users).toHaveLength(100);
  });

  it('are only those that the sender allows, if it lists any', () => {
    expect(mentionsIn('<@1> <@2>', { everyone: true, users: ['2', '3'] }, true).users).toEqual(['2']);
    expect(mentionsIn('<@1>', { everyone: true, users: false }, true).users).toEqual([]);
  });
});

describe('allowed_mentions', () => {
  it('allows every mention when it is not sent', () => {
    expect(allowedMentions(undefined)).toEqual(all);
    expect(allowedMentions(null)).toEqual(all);
  });

  it('allows only what it lists when it is sent', () => {
    expect(allowedMentions({})).toEqual({ everyone: false, users: false });
    expect(allowedMentions({ parse: [] })).toEqual({ everyone: false, users: false });
    expect(allowedMentions({ parse: ['everyone'] })).toEqual({ everyone: true, users: false });
    expect(allowedMentions({ parse: ['users'], users: ['1'] })).toEqual({ everyone: false, users: true });
    expect(allowedMentions({ users: ['1'] })).toEqual({ everyone: false, users: ['1'] });
  });

  it('notifies the author of the message replied to, unless it is sent without saying so', () => {
    expect([undefined, null, { replied_user: true }].map(tellsRepliedTo)).toEqual([true, true, true]);
    expect([{}, { replied_user: false }, { replied_user: null }].map(tellsRepliedTo)).toEqual([false, false, false]);
  });
});
