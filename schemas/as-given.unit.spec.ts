import fc from 'fast-check';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { commands } from '../commands/features/index.ts';
import { givesBackAsGiven } from './as-given.ts';
import { IsoTime, list, optional, Snowflake, text } from './codecs.ts';
import { LongInteger } from './json.ts';

/** Values that come near what commands take, and now and then fit. */
const sent = fc.letrec((part) => ({
  value: fc.oneof(
    fc.constantFrom('1', '12', '007', 'name', '', 'users', '#ffffff', null, undefined, true, 0, 1, 3.5, -1),
    fc.constant(new LongInteger('1097123456789012345')),
    fc.array(part('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('id', 'name', 'title', 'parse', 'message_id', 'url'), part('value'), { maxKeys: 3 }),
  ),
})).value;

describe('a codec that gives back what it is given', () => {
  it('is one of parts that do', () => {
    const Fields = t.intersection([t.type({ id: Snowflake }), t.partial({ names: optional(list(text(1, 9), 3)) })]);
    expect(givesBackAsGiven(Fields)).toBe(true);
    expect(givesBackAsGiven(t.type({ id: Snowflake, time: IsoTime }))).toBe(false);
    expect(givesBackAsGiven(t.exact(t.type({ id: Snowflake })))).toBe(false);
  });

  it('says by its guard alone what decoding says, of whatever is sent to a command', () => {
    const known = commands.filter(({ codec }) => givesBackAsGiven(codec));
    expect(known.map(({ type }) => type)).toContain('message.send');
    for (const { codec, params, body } of known) {
      const names = [params, body].flatMap((part) =>
        part instanceof t.InterfaceType || part instanceof t.PartialType ? Object.keys(part.props) : [],
      );
      const fields = fc.record(Object.fromEntries(names.map((name) => [name, sent])), { requiredKeys: [] });
      fc.assert(
        fc.property(fields, (given) => {
          const decoded = codec.decode(given);
          if (codec.is(given)) expect(decoded).toEqual({ _tag: 'Right', right: given });
        }),
        { numRuns: 50 },
      );
    }
  });
});
