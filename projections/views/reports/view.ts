/** What people report about messages, with the last thing that came of each report. */

import type { Sealed } from '../../../schemas/envelope.ts';
import {
  type ByType,
  type EventOf,
  handlerOf,
  type ParleyEvent,
  type TypesChanging,
} from '../../../schemas/events/catalogue.ts';
import type { ReportKind, ReportOutcome } from '../../../schemas/events/report.ts';

/** A sealed text, which opens to a string as JSON, and the event that it was sealed in. */
export interface SealedText {
  readonly sealed: Sealed;
  readonly sealedIn: string;
}

/** What somebody answered, or closed it with. */
export interface ReportAnswer {
  readonly outcome: ReportOutcome;
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly note: SealedText;
}

export interface ReportRow {
  readonly id: string;
  /** Null: of a direct channel. */
  readonly guildId: string | null;
  readonly channelId: string;
  readonly messageId: string;
  readonly author: string;
  readonly reporter: string;
  /** Whether it is for the server's administrators, and not for the guild's moderators. */
  readonly forAdministrators: boolean;
  readonly kind: ReportKind;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly text: SealedText;
  /** The last one; null: it is open. */
  readonly answer: ReportAnswer | null;
}

/** Whose reports: those of a guild, those for the administrators, those of one person. */
export type ReportsOf =
  | { readonly guildId: string }
  | { readonly administrators: true }
  | { readonly reporter: string };

/** A page, the newest first; with `after` the oldest first. */
export interface ReportsQuery {
  readonly limit: number;
  /** How many reports are looked through at most, those among them that are left out included. */
  readonly look: number;
  /** Those with a lower id alone. */
  readonly before?: string;
  /** Those with a higher id alone. Where `before` is given, it counts for nothing. */
  readonly after?: string;
  readonly state?: ReportOutcome | 'open';
  /** Without those about messages of this person, and in these channels. */
  readonly except?: { readonly author: string; readonly channelIds: readonly string[] };
}

export interface ReportPage {
  readonly rows: readonly ReportRow[];
  /** The id beyond which there may be more of them; `undefined`: there are no more. */
  readonly next: string | undefined;
}

export interface ReportReader {
  reports(of: ReportsOf, query: ReportsQuery): Promise<ReportPage>;
  report(id: string): Promise<ReportRow | undefined>;
  /** What this person reported about the message. */
  reportBy(reporter: string, channelId: string, messageId: string): Promise<ReportRow | undefined>;
}

/** Positions are those of the events. Rows are only added, so that two generations can be compared. */
export type ReportChange =
  | { readonly kind: 'filed'; readonly report: Omit<ReportRow, 'answer'>; readonly position: number }
  | { readonly kind: 'handled'; readonly reportId: string; readonly answer: ReportAnswer; readonly position: number };

/** A new report, as its event creates it. */
export const rowOfFiled = ({ id: sealedIn, time, data }: EventOf<'report-filed'>): ReportRow => {
  const { reportId: id, guildId, channelId, messageId, author, reporter, administrators, kind, sealed } = data;
  const forAdministrators = guildId === null || administrators.length > 0;
  const about = { id, guildId, channelId, messageId, author, reporter, forAdministrators, kind, time };
  return { ...about, text: { sealed, sealedIn }, answer: null };
};

const answerOf = ({ id: sealedIn, time, data }: EventOf<'report-handled'>): ReportAnswer => {
  const { outcome, by, sealed } = data;
  return { outcome, by, time, note: { sealed, sealedIn } };
};

/** A report as the event leaves it. */
export const withAnswer = (report: ReportRow, event: EventOf<'report-handled'>): ReportRow => ({
  ...report,
  answer: answerOf(event),
});

const changeOf: ByType<TypesChanging<'reports'>, [], ReportChange> = {
  'report-filed': (event) => ({ kind: 'filed', report: rowOfFiled(event), position: event.position }),
  'report-handled': (event) => ({
    ...{ kind: 'handled', reportId: event.data.reportId, answer: answerOf(event), position: event.position },
  }),
};

export const reportChanges = (events: readonly ParleyEvent[]): readonly ReportChange[] =>
  events.flatMap((event) => handlerOf(changeOf, event)?.(event) ?? []);
