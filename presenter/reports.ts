/** Reports as their reporters and as those who handle them see them. */

import type { ReportRow, SealedText } from '../projections/views/reports/view.ts';
import { reportStream } from '../schemas/streams.ts';
import type { ApiMessage, ApiOwnReport, ApiReport, ApiUser } from './shapes.ts';
import { wireTime } from './time.ts';

const placed = ({ channelId, messageId, reporter }: ReportRow, { sealed, sealedIn: eventId }: SealedText) => ({
  ...{ stream: reportStream(channelId, messageId, reporter), eventId, sealed },
});

/** What the reporters wrote. */
export const textsOf = (rows: readonly ReportRow[]) => rows.map((row) => placed(row, row.text));

/** What the last answers say to them; null of open reports. */
export const notesOf = (rows: readonly ReportRow[]) => rows.map((row) => row.answer && placed(row, row.answer.note));

/** @param opened null where the key is gone, and for the note of an open report */
export const presentOwnReport = (
  { id, kind, guildId, channelId, messageId, time, answer }: ReportRow,
  opened: { readonly text: string | null; readonly note: string | null },
): ApiOwnReport => ({
  ...{ id, state: answer?.outcome ?? 'open', kind, text: opened.text },
  ...{ guild_id: guildId, channel_id: channelId, message_id: messageId },
  ...{ created_at: wireTime(time), answered_at: answer === null ? null : wireTime(answer.time), note: opened.note },
});

/** @param message the one reported; undefined once it is deleted */
export const presentReport = (
  row: ReportRow,
  own: ApiOwnReport,
  users: ReadonlyMap<string, ApiUser>,
  message: ApiMessage | undefined,
): ApiReport => ({
  ...own,
  reporter: users.get(row.reporter)!,
  author: users.get(row.author)!,
  answered_by: row.answer === null ? null : users.get(row.answer.by)!,
  message: message ?? null,
});

/** Everybody whom reports name. */
export const namedIn = (rows: readonly ReportRow[]): readonly string[] =>
  rows.flatMap(({ reporter, author, answer }) =>
    answer === null ? [reporter, author] : [reporter, author, answer.by],
  );
