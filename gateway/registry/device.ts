/** The kind of device, from what a client says of itself when it identifies. Its words are not kept: anything may stand there. */
import type { Device } from './port.ts';

const KINDS: readonly (readonly [device: Device, said: RegExp])[] = [
  ['mobile', /android|\bios\b|iphone|ipad/],
  ['desktop', /discord client|electron|desktop/],
  ['web', /chrom|firefox|safari|edge|opera|mozilla/],
];

/** @param properties of op 2: `os`, `browser` and `device`, with `$` in front in old libraries. */
export const deviceOf = (properties: Readonly<Record<string, unknown>> | null | undefined): Device => {
  const said = ['os', 'browser', 'device']
    .map((name) => properties?.[name] ?? properties?.[`$${name}`])
    .filter((value) => typeof value === 'string')
    .join(' ')
    .slice(0, 200)
    .toLowerCase();
  return KINDS.find(([, shape]) => shape.test(said))?.[0] ?? 'other';
};
