import { describe, expect, it } from 'vitest';
import { formatOf } from './irc-lines.ts';

const reader = (sample: string) => formatOf(sample)!.read!;
const MINUTE = 60_000;
const CLOCK = (9 * 60 + 14) * MINUTE;

describe('a line of irclogs.ubuntu.com or ZNC', () => {
  const read = reader('[09:14] <nick> text');

  it.each([
    ['[09:14] <crimsun> kleedrac: hello', 'message', 'crimsun', 'kleedrac: hello'],
    ['[14:39]  * jaggz nudges v3ctor', 'action', 'jaggz', 'nudges v3ctor'],
    ['[14:39] * jaggz nudges', 'action', 'jaggz', 'nudges'],
    ['[09:14:05] * jaggz nudges', 'action', 'jaggz', 'nudges'],
    ['[09:05] <SurfnKid>', 'empty', 'SurfnKid', ''],
    ['[09:05] <SurfnKid>   ', 'empty', 'SurfnKid', '  '],
    ['[09:05]  * SurfnKid', 'action', 'SurfnKid', ''],
    ['[09:05] <a> <b> said so', 'message', 'a', '<b> said so'],
    ['[09:05] <a>  two spaces', 'message', 'a', ' two spaces'],
    ['[09:05] <a> one\u2028line', 'message', 'a', 'one\u2028line'],
    ['[09:05] <|QuaD-> xine', 'message', '|QuaD-', 'xine'],
    ['[09:05] <@op> xine', 'message', 'op', 'xine'],
    ['[09:05] <@> xine', 'message', '@', 'xine'],
    ['=== sid77 hi', 'action', 'sid77', 'hi'],
    ['=== PabloEscobar_ is away: Do not disturb', 'action', 'PabloEscobar_', 'is away: Do not disturb'],
    ['=== JanC has done this once 4 years ago  :)', 'action', 'JanC', 'has done this once 4 years ago  :)'],
    ['=== g[r] eek bows to Frogzoo', 'action', 'g[r]', 'eek bows to Frogzoo'],
  ])('%j is of kind %s', (line, kind, nick, text) => {
    expect(read(line)).toMatchObject({ kind, nick, text });
  });

  it.each([
    '=== vassie [~vassie@host]  has joined #ubuntu',
    '=== oO[NOVA] Oo [n=NovaFlas@sev.demon.nl]  has joined #ubuntu',
    '=== a [~a@host]  has left #ubuntu ["Leaving"]',
    '=== a [~a@host]  has quit ["bye"]',
    '=== a is now known as b',
    '=== mode/#ubuntu [+o nalioth]  by ChanServ',
    '=== a changed the topic of #ubuntu to: has quit',
    '=== Topic for #ubuntu: welcome',
    '=== a was kicked from #ubuntu by b [c]',
    '=== Netsplit x <-> y quits: a',
    '===',
    '[09:14:05] *** Joins: a (a@host)',
  ])('%j is a system line', (line) => expect(read(line)).toMatchObject({ kind: 'system', nick: null, text: line }));

  it.each([
    '=',
    '',
    '[24:00] <a> no such hour',
    '[09:60] <a> no such minute',
    '[09:05:61] <a> no such second',
    '[13:05pm] <a> no such hour',
    '[00:05am] <a> no such hour',
    '[01:26] -flood:#ubuntu- notice',
    '[09:05] <> nobody',
    `[09:05] <${'x'.repeat(65)}> no nickname`,
    '[09:05] <a>no space',
  ])('%j is another line', (line) => expect(read(line)).toEqual({ kind: 'other', nick: null, text: line }));

  it.each([
    ['[09:14] <a> x', CLOCK],
    ['[9:14] <a> x', CLOCK],
    ['[09:14:05] <a> x', CLOCK + 5000],
    ['[09:14am] <a> x', CLOCK],
    ['[9:14 PM] <a> x', CLOCK + 12 * 60 * MINUTE],
    ['[12:14 a.m.] <a> x', 14 * MINUTE],
    ['[12:14pm] <a> x', (12 * 60 + 14) * MINUTE],
    ['=== a does', undefined],
  ])('%j has its time', (line, clock) => expect(read(line).clock).toBe(clock));
});

describe('a line of irssi', () => {
  const read = reader('--- Log opened Sat Dec 25 09:00:01 2004');

  it.each([
    ['09:14 < crimsun> hello', 'message', 'crimsun', 'hello'],
    ['09:14 <@crimsun> hello', 'message', 'crimsun', 'hello'],
    ['09:14 <crimsun> hello', 'message', 'crimsun', 'hello'],
    ['09:14  * crimsun waves', 'action', 'crimsun', 'waves'],
    ['09:14 -!- a [a@host] has joined #ubuntu', 'system', null, undefined],
    ['--- Log closed Sat Dec 25 09:14:00 2004', 'system', null, undefined],
    ['09:14 -notice- x', 'other', null, undefined],
    ['25:14 <a> x', 'other', null, undefined],
  ])('%j is of kind %s', (line, kind, nick, text = line) => {
    expect(read(line)).toMatchObject({ kind, nick, text });
  });

  it.each([
    ['--- Log opened Sat Dec 25 09:14:00 2004', Date.UTC(2004, 11, 25), CLOCK],
    ['--- Day changed Sun Dec 26 2004', Date.UTC(2004, 11, 26), 0],
    ['--- Day changed So Dez 26 2004', Number.NaN, 0],
    ['--- Day changed Sun Feb 31 2004', Number.NaN, 0],
    ['09:14 < a> x', undefined, CLOCK],
  ])('%j has its day and time', (line, day, clock) => {
    expect([read(line).day, read(line).clock]).toEqual([day, clock]);
  });
});

describe('a line of WeeChat', () => {
  const read = reader('2004-12-25 09:14:00\ta\tx');

  it.each([
    ['2004-12-25 09:14:00\tcrimsun\thello\tyou', 'message', 'crimsun', 'hello\tyou'],
    ['2004-12-25 09:14:00\t@crimsun\thello', 'message', 'crimsun', 'hello'],
    ['2004-12-25 09:14:00\t *\tcrimsun waves', 'action', 'crimsun', 'waves'],
    ['2004-12-25 09:14:00\t-->\ta (a@host) has joined #ubuntu', 'system', null, undefined],
    ['2004-12-25 09:14:00\t--\tTopic for #ubuntu', 'system', null, undefined],
    ['2004-12-25 09:14:00\t\tsomething', 'system', null, undefined],
    ['2004-12-25 09:14:00\t****  Beginning of log  ****', 'system', null, undefined],
    ['2004-02-31 09:14:00\ta\tno such day', 'other', null, undefined],
  ])('%j is of kind %s', (line, kind, nick, text = line) => {
    expect(read(line)).toMatchObject({ kind, nick, text });
  });

  it('has a day and a time', () => {
    expect(read('2004-12-25 09:14:00\ta\tx')).toMatchObject({ day: Date.UTC(2004, 11, 25), clock: CLOCK });
  });
});

describe('a format', () => {
  it('is told, and a line read, in time that grows with the length of the line', () => {
    const begun = process.cpuUsage();
    for (const part of ['[', ']', '<', '=== ', '* ', 'a ', '\t', '[a] ', ' has joined ', 'is now known as '])
      for (const start of [
        '=== ',
        '=== a [',
        '[09:14] ',
        '[09:14] <',
        '[09:14] * ',
        '09:14 ',
        '2004-12-25 09:14:00\t',
        '--- Log opened ',
      ]) {
        const line = start + part.repeat(8192 / part.length);
        formatOf(line)?.read?.(line);
      }
    expect(process.cpuUsage(begun).user / 1000).toBeLessThan(2000);
  });

  it.each([
    ['Session Start: Sat Dec 25 09:00:00 2004', 'mIRC', true],
    ['[09:14] * a (a@host) has joined #ubuntu', 'mIRC', true],
    ['[09:14] * a (a@host) Quit (bye)', 'mIRC', true],
    ['[09:14] * ChanServ sets mode: +o a', 'mIRC', true],
    ['**** BEGIN LOGGING AT Sat Dec 25 09:00:00 2004', 'HexChat', true],
    ['Dec 25 09:14:05 <a>\thello', 'HexChat', true],
    ['Dec 25 09:14:05 *\ta has joined', 'HexChat', true],
    ['[09:14] Action: a waves', 'Eggdrop', true],
    ['(09:14:05) a: hello', 'Pidgin', true],
    ['2004-12-25 09:14:05\ta\thello', 'WeeChat', false],
    ['09:14 < a> hello', 'irssi', false],
    ['--- Log opened Sat Dec 25 09:00:00 2004', 'irssi', false],
    ['[09:14:05] <a> hello', '[09:14] <nick> text (irclogs.ubuntu.com, ZNC)', false],
  ])('is told by %j: %s', (line, name, refused) => {
    const format = formatOf(line)!;
    expect([format.name, format.refusal !== undefined]).toEqual([name, refused]);
  });

  it.each(['', 'hello', '{"name": "parley"}', '[1, 2]', '===', '09:14', '2004-12-25 hello', '* a b'])(
    'is not told by %j',
    (line) => expect(formatOf(line)).toBeUndefined(),
  );
});
