import { describe, expect, it } from 'vitest';
import { allowedMentions, mentionsIn, tellsRepliedTo } from './mentions.ts';

const all = { everyone: true, users: true, roles: true } as const;
const may = { everyone: true, roles: new Set(['5']) };
const mayNot = { everyone: false, roles: new Set<string>() };

describe('mentions in a text', () => {
  it('are users, each once, in the order written', () => {
    expect(mentionsIn('<@2> and <@!1>, <@2> again', all, may)).toEqual({ users: ['2', '1'], everyone: false });
  });

  it('are not text that merely looks like one', () => {
    for (const text of [
      '<@>',
      '<@abc>',
      '@2',
      '<@&>',
      '<@&6>',
      '<#7>',
      '<@12345678901234567890>',
      'everyone',
      'a@everyoneelse',
      '@EVERYONE',
    ])
      expect(mentionsIn(text, all, may)).toEqual({ users: [], everyone: false });
  });

  it.each([
    ['a span', '`<@1>`'],
    ['a span of everyone', '`@everyone`'],
    ['a span over lines', '`a\n<@1>`'],
    ['a span of two backquotes', '``<@1> ` @here``'],
    ['a span whose shorter runs are text', '```a`` <@1> ```'],
    ['a block', '```\n<@1> @everyone\n```'],
    ['a block with a language', '```js\nfoo("<@1>")\n```'],
    ['a block on one line', '```<@1>```'],
    ['a block with spans in it', '```\n`a` <@1> `b`\n```'],
    ['a span after an escaped backquote', '\\``<@1>`'],
    ['a span that a longer run begins', '``<@1>`'],
    ['an escape', '\\<@1>'],
    ['an escape of everyone', '\\@everyone'],
    ['an escape after an escaped backslash', '\\\\\\<@1>'],
  ])('are not in %s: %s', (_, text) => {
    expect(mentionsIn(text, all, may)).toEqual({ users: [], everyone: false });
    expect(mentionsIn(`${text} <@2>`, all, may)).toEqual({ users: ['2'], everyone: false });
  });

  it.each([
    ['an unclosed span', '`<@1>'],
    ['an unclosed block', '```\n<@1>'],
    ['a block that closes with two', '```<@1>'],
    ['the text after a span', '`a`<@1>'],
    ['the text between spans', '`a`<@1>`b`'],
    ['the text after a span with a backslash, which escapes nothing there', '`\\`<@1>'],
    ['a pair of escaped backquotes', '\\`<@1>\\`'],
    ['the text after an escaped backslash', '\\\\<@1>'],
    ['the text after a block without text', '``````<@1>'],
    ['bold text', '**<@1>**'],
  ])('are in %s: %s', (_, text) => {
    expect(mentionsIn(text, all, may).users).toEqual(['1']);
  });

  it('are found in any text of backquotes within a moment', () => {
    const begun = process.cpuUsage();
    const runs = Array.from({ length: 62 }, (_, i) => '`'.repeat(i + 1)).join(' ');
    for (const text of ['`'.repeat(1990), '` '.repeat(990), '\\`'.repeat(990), `\`\`\`a${'\n'.repeat(1900)}`, runs])
      mentionsIn(`${text}<@1>`, all, may);
    expect(process.cpuUsage(begun).user / 1000).toBeLessThan(2000);
  });

  it('include everyone only if the author may and wants to', () => {
    expect(mentionsIn('hey @everyone!', all, may).everyone).toBe(true);
    expect(mentionsIn('@here', all, may).everyone).toBe(true);
    expect(mentionsIn('@everyone', all, mayNot).everyone).toBe(false);
    expect(mentionsIn('@everyone', { ...all, everyone: false }, may).everyone).toBe(false);
  });

  it('are of roles that the author may mention and wants to, each once', () => {
    expect(mentionsIn('<@&5> <@&6> <@&5> `<@&5>`', all, may)).toEqual({ users: [], everyone: false, roles: ['5'] });
    expect(mentionsIn('<@&5>', all, mayNot)).toEqual({ users: [], everyone: false });
    expect(mentionsIn('<@&5>', { ...all, roles: ['6'] }, may).roles).toBeUndefined();
    expect(mentionsIn('<@&5>', { ...all, roles: ['5'], users: false }, may).roles).toEqual(['5']);
  });

  it('are at most a hundred users', () => {
    const text = Array.from({ length: 150 }, (_, i) => `<@${i + 1}>`).join('');
    expect(mentionsIn(text, all, may).users).toHaveLength(100);
  });

  it('are only those that the sender allows, if it lists any', () => {
    expect(mentionsIn('<@1> <@2>', { ...all, users: ['2', '3'] }, may).users).toEqual(['2']);
    expect(mentionsIn('<@1>', { ...all, users: false }, may).users).toEqual([]);
  });
});

describe('allowed_mentions', () => {
  it('allows every mention when it is not sent', () => {
    expect(allowedMentions(undefined)).toEqual(all);
    expect(allowedMentions(null)).toEqual(all);
  });

  it('allows only what it lists when it is sent', () => {
    expect(allowedMentions({})).toEqual({ everyone: false, users: false, roles: false });
    expect(allowedMentions({ parse: [] })).toEqual({ everyone: false, users: false, roles: false });
    expect(allowedMentions({ parse: ['everyone'] })).toEqual({ everyone: true, users: false, roles: false });
    expect(allowedMentions({ parse: ['users'], users: ['1'] })).toEqual({ everyone: false, users: true, roles: false });
    expect(allowedMentions({ users: ['1'] })).toEqual({ everyone: false, users: ['1'], roles: false });
  });

  it('notifies the author of the message replied to, unless it is sent without saying so', () => {
    expect([undefined, null, { replied_user: true }].map(tellsRepliedTo)).toEqual([true, true, true]);
    expect([{}, { replied_user: false }, { replied_user: null }].map(tellsRepliedTo)).toEqual([false, false, false]);
  });
});
