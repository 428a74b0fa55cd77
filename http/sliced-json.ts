/** JSON of large answers, written in slices of time: a page of long messages has megabytes. */

import type { TimeSlices } from '../schemas/time-slices.ts';

/** Written in one step: four of the largest messages, with replies as large, take two milliseconds. */
const ITEMS_PER_STEP = 4;

const isLong = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length > ITEMS_PER_STEP;

/** An object with a long list among its fields. */
const holdsLong = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).some(isLong);

/**
 * The UTF-8 of what `JSON.stringify` returns. A long list is written piece by piece, be it the value itself or a field of
 * it.
 * @param value plain data
 */
export const slicedJson = async (value: unknown, slices: TimeSlices): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  const add = (text: string): void => void pieces.push(Buffer.from(text));

  const list = async (items: readonly unknown[]): Promise<void> => {
    for (let at = 0; at < items.length; at += ITEMS_PER_STEP) {
      await slices.step(() => {
        const text = JSON.stringify(items.slice(at, at + ITEMS_PER_STEP)).slice(1, -1);
        add(`${at === 0 ? '[' : ','}${text}`);
      });
    }
    add(']');
  };

  const write = async (one: unknown): Promise<void> => {
    if (isLong(one)) return list(one);
    if (!holdsLong(one)) return slices.step(() => add(JSON.stringify(one)));
    let before = '{';
    for (const [name, field] of Object.entries(one)) {
      if (field === undefined) continue;
      add(`${before}${JSON.stringify(name)}:`);
      before = ',';
      await write(field);
    }
    add('}');
  };

  await write(value);
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
};
