/** Tables on standard output: columns, without lines around them. */
import Table from 'cli-table3';
import { say } from './configured.ts';

const EDGES = ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) =>
  ['', '-mid', '-left', '-right'].map((part) => [`${side}${part}`, '']),
);
const PLAIN = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 };

/** Numbers stand to the right. */
export const table = (names: readonly string[], rows: readonly (readonly (string | number)[])[]): void => {
  const shown = new Table({
    head: [...names],
    colAligns: names.map((_, i) => (typeof rows[0]?.[i] === 'number' ? 'right' : 'left')),
    chars: { ...Object.fromEntries(EDGES), middle: '  ' },
    style: PLAIN,
  });
  shown.push(...rows.map((row) => [...row]));
  for (const line of shown.toString().split('\n')) say(line.trimEnd());
};
