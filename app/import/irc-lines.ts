/**
 * How programs write the lines of an IRC log. A format is read where what people say and do differs from everything else;
 * the others are refused by their names.
 */

export interface Reading {
  /**
   * message: a user said `text`; action: a user did `text`, which may be empty; empty: a message without words; system:
   * joins, parts, new nicks; other: anything else.
   */
  readonly kind: 'message' | 'empty' | 'action' | 'system' | 'other';
  /** Null on system and other lines. */
  readonly nick: string | null;
  /** What the user said or did; on system and other lines, the whole line. */
  readonly text: string;
  /** Milliseconds since midnight, where the line has a time. */
  readonly clock?: number;
  /** Midnight UTC of the day that the line names, in milliseconds since 1970; NaN if it is named in a way that is not read. */
  readonly day?: number;
}

export interface LogFormat {
  readonly name: string;
  /** Whether a line can only be of this format. */
  readonly owns: (line: string) => boolean;
  /** Absent where the format is refused, for this reason. */
  readonly read?: (line: string) => Reading;
  readonly refusal?: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A person's nickname after the sign of a right in the channel. */
const withoutRight = (nick: string): string => nick.replace(/^[ ~&@%+!](?=.)/, '');

const other = (text: string): Reading => ({ kind: 'other', nick: null, text });
const system = (text: string): Reading => ({ kind: 'system', nick: null, text });
const said = (nick: string, text = ''): Reading => ({
  kind: text.trim() === '' ? 'empty' : 'message',
  nick: withoutRight(nick),
  text,
});
const did = (nick: string, text = ''): Reading => ({ kind: 'action', nick: withoutRight(nick), text });

/** `undefined` when there is no such time of day. @param half `a` or `p`, on a clock of twelve hours */
const clockOf = (hours: string, minutes: string, seconds = '0', half?: string): number | undefined => {
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (m > 59 || s > 59 || h > 23 || (half !== undefined && (h < 1 || h > 12))) return undefined;
  const hour = half === undefined ? h : (h % 12) + (/p/i.test(half) ? 12 : 0);
  return hour * HOUR + m * MINUTE + s * SECOND;
};

/** `undefined` when there is no such day. @param month counted from 1 */
export const dayOf = (year: string, month: number, day: string): number | undefined => {
  const time = Date.UTC(Number(year), month - 1, Number(day));
  const date = new Date(time);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === Number(day) ? time : undefined;
};

// `[09:14] <nick> text`, as irclogs.ubuntu.com and ZNC write it.

const BRACKETED = /^\[(\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([ap])\.?m\.?)?\] (.*)$/is;
/** Nicknames have 30 characters on most networks, and 64 on none. */
const MESSAGE = /^<([^>]{1,64})>(?: (.*))?$/s;
const ACTION = /^ ?\* (\S{1,64})(?: (.*))?$/s;
/** Of ZNC: `*** Joins: nick (user@host)`. */
const STARS = /^(?:\*\*\*|-!-) /;

/** Of irclogs.ubuntu.com: what irssi says after `-!-`. */
const SYSTEM = new RegExp(
  `^=== (?:${[
    '.{1,64}\\[\\S{1,255}\\]\\s+has (?:joined|left|quit)\\b',
    '\\S+ has (?:joined|left|quit) #',
    '\\S+(?: \\S+)? is now known as ',
    "You're now known as ",
    '(?:server)?mode/',
    'Netsplit ',
    '\\S+ changed the topic of ',
    'Topic ',
    '\\S+ was kicked from ',
    'Irssi: ',
    'Channel #',
    'Home page for ',
  ].join('|')})`,
  'i',
);
/** A nickname by the grammar of RFC 2812, and one word or more: the old form of an action, which has no time. */
const OLD_ACTION = /^=== ([a-z[\]\\`_^{|}][\w[\]\\`^{|}-]{0,63}) (\S.*)$/is;

const oldForm = (line: string): Reading => {
  const action = SYSTEM.test(line) ? null : OLD_ACTION.exec(line);
  return action === null ? system(line) : did(action[1]!, action[2]);
};

const bracketed = (line: string): Reading => {
  if (line.startsWith('===')) return oldForm(line);
  const [, hours, minutes, seconds, half, rest = ''] = BRACKETED.exec(line) ?? [];
  const clock = hours === undefined ? undefined : clockOf(hours, minutes!, seconds, half);
  if (clock === undefined) return other(line);
  const message = MESSAGE.exec(rest);
  if (message !== null) return { ...said(message[1]!, message[2]), clock };
  const action = ACTION.exec(rest);
  if (action !== null) return { ...did(action[1]!, action[2]), clock };
  return STARS.test(rest) ? { ...system(line), clock } : other(line);
};

// irssi: `09:14 < nick> text`, or with the time in brackets, with days in lines of their own.

const IRSSI = /^(\d\d):(\d\d)(?::(\d\d))? (.*)$/s;
const IN_BRACKETS = /^\[([\d:]+)\] /;
const IRSSI_REST = /^(?:<[ ~&@%+!]?[^\s>]+>(?: |$)| \* \S|-!- )/;
const IRSSI_DAY = /^--- (Log opened|Log closed|Day changed) \S+ (\S+) (\d\d?)(?: (\d\d):(\d\d):(\d\d))? (\d{4})$/;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const irssi = (line: string): Reading => {
  const [, , month, date, hours, minutes, seconds, year] = IRSSI_DAY.exec(line) ?? [];
  if (year !== undefined) {
    const day = dayOf(year, MONTHS.indexOf(month!.toLowerCase()) + 1, date!);
    const clock = hours === undefined ? 0 : clockOf(hours, minutes!, seconds);
    return { ...system(line), day: day ?? Number.NaN, clock: clock ?? Number.NaN };
  }
  const [, h, m, s, rest = ''] = IRSSI.exec(line.replace(IN_BRACKETS, '$1 ')) ?? [];
  const clock = h === undefined ? undefined : clockOf(h, m!, s);
  if (clock === undefined) return other(line);
  const message = MESSAGE.exec(rest);
  if (message !== null) return { ...said(message[1]!, message[2]), clock };
  const action = ACTION.exec(rest);
  if (action !== null) return { ...did(action[1]!, action[2]), clock };
  return rest.startsWith('-!- ') ? { ...system(line), clock } : other(line);
};

// WeeChat: `2004-12-25 09:14:05<tab>nick<tab>text`.

/** It writes `****  Beginning of log  ****` without a second tab. */
const WEECHAT = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\t(?:([^\t]*)\t(.*)|\*{4} .*)$/s;
const WEECHAT_NICK = /^(?=.*[\w[\]\\`^{|}])[^\s<>*]{1,64}$/;

const weechat = (line: string): Reading => {
  const [, year, month, date, h, m, s, prefix = '', text = ''] = WEECHAT.exec(line) ?? [];
  const clock = h === undefined ? undefined : clockOf(h, m!, s);
  const day = year === undefined ? undefined : dayOf(year, Number(month), date!);
  if (clock === undefined || day === undefined) return other(line);
  if (prefix.trim() === '*') {
    const [, nick, words] = /^(\S{1,64})(?: (.*))?$/s.exec(text) ?? [];
    return nick === undefined ? other(line) : { ...did(nick, words), clock, day };
  }
  return WEECHAT_NICK.test(prefix) ? { ...said(prefix, text), clock, day } : { ...system(line), clock, day };
};

const ALIKE = 'it writes what people do in the form of what the server says, so the two cannot be told apart';

/** Those that are refused come first: their lines begin like those of the others. */
const FORMATS: readonly LogFormat[] = [
  {
    name: 'mIRC',
    owns: (line) =>
      /^Session (?:Start|Ident|Time|Close): /.test(line) ||
      /^\[[^\]]+\] \* (?:\S+ \(\S+@\S+\) (?:has )?(?:joined|left|quit)\b|\S+ sets mode: [+-]|Now talking in #)/i.test(
        line,
      ),
    refusal: ALIKE,
  },
  {
    name: 'HexChat',
    owns: (line) =>
      /^\*{4} (?:BEGIN|ENDING) LOGGING AT /.test(line) || /^[A-Z]\S{2} \d\d \d\d:\d\d:\d\d (?:<\S+>|\*)\t/.test(line),
    refusal: ALIKE,
  },
  {
    name: 'Eggdrop',
    owns: (line) => /^\[\d\d:\d\d(?::\d\d)?\] (?:Action: \S+ |--- \S+ \S+ +\d+ )/.test(line),
    refusal: 'it is not known well enough',
  },
  {
    name: 'Pidgin',
    owns: (line) => /^Conversation with .+ at .+ on .+ \(.+\)$/.test(line) || /^\(\d\d:\d\d:\d\d\) /.test(line),
    refusal: 'it is not known well enough',
  },
  { name: 'WeeChat', owns: (line) => WEECHAT.test(line), read: weechat },
  {
    name: 'irssi',
    owns: (line) => IRSSI_DAY.test(line) || IRSSI_REST.test(IRSSI.exec(line)?.[4] ?? ''),
    read: irssi,
  },
  {
    name: '[09:14] <nick> text (irclogs.ubuntu.com, ZNC)',
    owns: (line) => line.startsWith('=== ') || (BRACKETED.test(line) && bracketed(line).kind !== 'other'),
    read: bracketed,
  },
];

/** The format that the line tells; `undefined` if it is none of those known. */
export const formatOf = (line: string): LogFormat | undefined => FORMATS.find(({ owns }) => owns(line));

export const READABLE: string = FORMATS.filter(({ read }) => read !== undefined)
  .map(({ name }) => name)
  .reverse()
  .join(', ');
