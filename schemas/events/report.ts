/** Events of `report-<channel>_<message>_<reporter>`: what a person reports about a message, and what comes of it. */
import * as t from 'io-ts';
import { wordOf } from '../codecs.ts';
import { Sealed } from '../envelope.ts';
import { type Audience, guildAudience, userAudience } from '../streams.ts';
import { defineEvent, NO_INTENTS, unaudited } from './definition.ts';

/** What is wrong with a message. */
export const REPORT_KINDS = [
  'spam',
  'harassment',
  'hate',
  'violence',
  'sexual',
  'self-harm',
  'illegal',
  'other',
] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

/** What comes of a report. An answered one may be answered again; nothing comes after the end. */
export const REPORT_OUTCOMES = ['answered', 'closed'] as const;
export type ReportOutcome = (typeof REPORT_OUTCOMES)[number];

/** Opens to a string: what the reporter or the moderator writes. */
const Written = t.string;

const about = {
  reportId: t.string,
  /** Null: of a direct channel. */
  guildId: t.union([t.string, t.null]),
  channelId: t.string,
  messageId: t.string,
  /** Who wrote the message. Nobody tells them. */
  author: t.string,
  reporter: t.string,
  /** The administrators of the server whom it is for; empty: it is for the guild's moderators. */
  administrators: t.array(t.string),
  kind: wordOf(...REPORT_KINDS),
  sealed: Sealed,
};

interface About {
  readonly data: {
    readonly guildId: string | null;
    readonly reporter: string;
    readonly administrators: readonly string[];
  };
}

/** The reporter, and those whom it is for. */
const concerned = ({ data: { guildId, reporter, administrators } }: About): readonly Audience[] => {
  const own = userAudience(reporter);
  return guildId === null || administrators.length > 0
    ? [own, ...administrators.filter((id) => id !== reporter).map(userAudience)]
    : [own, guildAudience(guildId)];
};

const reporting = {
  former: [],
  audiences: concerned,
  indexedFor: concerned,
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: false,
  standsAlone: false,
  inGuildCreate: false,
  changes: ['reports'],
  followedUp: false,
  frequent: false,
  auditedIn: unaudited,
  takesReason: false,
  seals: Written,
} as const;

const ReportFiled = defineEvent({ ...reporting, codec: t.type(about) });

const ReportHandled = defineEvent({
  ...reporting,
  codec: t.type({ ...about, outcome: wordOf(...REPORT_OUTCOMES), by: t.string }),
});

/** By their stored names. */
export const reportEvents = {
  'report-filed': ReportFiled,
  'report-handled': ReportHandled,
} as const;
