/** What a person reports about a message. Stream `report-<channel>_<message>_<reporter>`, so nobody reports one twice. */

import type { Sealed } from '../schemas/envelope.ts';
import type { EventData, EventOf } from '../schemas/events/catalogue.ts';
import type { ReportOutcome } from '../schemas/events/report.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState } from './decider.ts';
import { RecentKeys, storedWithKeys } from './recent-keys.ts';

type Filed = Omit<EventData<'report-filed'>, 'sealed'>;

export interface ReportState extends StreamState {
  /** `null` until it is filed. */
  filed: Filed | null;
  outcome: ReportOutcome | 'open';
  /** The last answer: whose it is, and its note, sealed in the event of this id. */
  answer: { readonly by: string; readonly sealed: Sealed; readonly sealedIn: string } | null;
  keys: RecentKeys;
}

const STATE_BYTES = 900;

const withoutText = ({ data: { sealed: _, ...filed } }: EventOf<'report-filed'>): Filed => filed;

export const reportFold: Fold<ReportState> = {
  version: 2,
  initial: () => ({ sequence: 0, filed: null, outcome: 'open', answer: null, keys: new RecentKeys() }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.key !== null) state.keys.remember(event.key, event.sequence, event.time);
    if (event.type === 'report-filed') state.filed = withoutText(event);
    else if (event.type === 'report-handled') {
      const { outcome, by, sealed } = event.data;
      state.outcome = outcome;
      state.answer = { by, sealed, sealedIn: event.id };
    }
    return state;
  },
  bytes: ({ answer, keys }) => STATE_BYTES + (answer?.sealed?.box.length ?? 0) + keys.bytes,
  ...storedWithKeys<ReportState>(),
};

/** A text as it is sealed. */
const secretOf = (by: string, text: string) => ({ by, text: JSON.stringify(text) });

/**
 * The same person's second report of a message is the first one.
 * @param command.report undefined: there is no such message that the reporter can read
 */
export const fileReport = (
  { report, text }: { readonly report: Filed | undefined; readonly text: string },
  { filed }: ReportState,
): Decision => {
  if (filed !== null) return nothing;
  if (report === undefined) return refuse('unknownMessage');
  if (report.author === report.reporter) return refuse('ownMessage');
  return happen({ type: 'report-filed', data: report, secret: secretOf(report.reporter, text) });
};

/**
 * Answers a report, as often as there is something to say, or closes it, once.
 * @param command.note undefined: the last one stays
 * @param command.formerNote what the last answer said; undefined: it said nothing, or its key is gone
 */
export const handleReport = (
  command: {
    readonly by: string;
    readonly outcome: ReportOutcome;
    readonly note: string | undefined;
    readonly key: string;
    readonly formerNote: string | undefined;
  },
  { filed, outcome, answer, keys }: ReportState,
): Decision => {
  if (filed === null) return refuse('unknownReport');
  if (keys.has(command.key)) return nothing;
  // Whoever says the same once more has not heard that it was said.
  const { by, formerNote, note = formerNote } = command;
  if (outcome === command.outcome && answer?.by === by && formerNote === note) return nothing;
  if (outcome === 'closed') return command.outcome === 'closed' && !command.note ? nothing : refuse('reportClosed');
  const data = { ...filed, outcome: command.outcome, by };
  // A note that stays is still its author's, and is forgotten with them.
  const isKept = command.note === undefined && formerNote !== undefined && answer !== null;
  return happen({ type: 'report-handled', data, secret: secretOf(isKept ? answer.sealed.by : by, note ?? '') });
};
