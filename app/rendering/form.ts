/** How a page travels to the rendering thread: as one string, because that is copied fastest. */
import type { KeyObject } from 'node:crypto';
import type { StoredEvent } from '../../log/port.ts';
// Not from the folder's index: the thread should load this and nothing else.
import { linesOf } from '../../read-api/replay/lines.ts';
import type { ReplayPage } from '../../read-api/replay/page.ts';

export interface Job extends Pick<ReplayPage, 'format' | 'ids' | 'deleted'> {
  readonly id: number;
  /** Key objects can be posted inside a map. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Thirteen lines an event. */
  readonly events: string;
}

export interface Done {
  readonly id: number;
  readonly lines: string;
}

const FIELDS = 13;

/** Text from outside could contain line ends, JSON cannot. */
const json = (text: string | null): string => (text === null ? '' : JSON.stringify(text));
const fromJson = (text: string): string | null => (text === '' ? null : (JSON.parse(text) as string));

const toText = (e: StoredEvent): string =>
  `${e.position}\n${e.stream}\n${e.sequence}\n${e.type}\n${e.schema}\n${e.time}\n${e.id}\n${e.actor}\n` +
  `${json(e.key)}\n${json(e.correlationId)}\n${json(e.causationId)}\n${json(e.traceparent)}\n${e.data}\n`;

const fromText = (lines: readonly string[], at: number): StoredEvent => ({
  position: Number(lines[at]),
  stream: lines[at + 1]!,
  sequence: Number(lines[at + 2]),
  type: lines[at + 3]!,
  schema: Number(lines[at + 4]),
  time: Number(lines[at + 5]),
  id: lines[at + 6]!,
  actor: lines[at + 7]!,
  key: fromJson(lines[at + 8]!),
  correlationId: fromJson(lines[at + 9]!) ?? '',
  causationId: fromJson(lines[at + 10]!),
  traceparent: fromJson(lines[at + 11]!),
  data: lines[at + 12]!,
});

export const toJob = (id: number, { events, ...rest }: ReplayPage): Job => {
  let text = '';
  for (const event of events) text += toText(event);
  return { id, ...rest, events: text };
};

export const carryOut = ({ id, events: text, ...rest }: Job): Done => {
  const lines = text.split('\n');
  const events: StoredEvent[] = [];
  for (let at = 0; at + FIELDS <= lines.length; at += FIELDS) events.push(fromText(lines, at));
  return { id, lines: linesOf({ ...rest, events }) };
};
