/** What the compiler reports when part of a command is missing. `tsc` checks it; nothing here needs to run. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { expect, it } from 'vitest';
import { nothing } from '../../domain/decider.ts';
import type { MemberState } from '../../domain/member.ts';
import { command, NOTHING } from '../command.ts';

const route = { method: 'POST', path: '/things', status: 204, answers: 'Nothing.' } as const;
const named = { type: 'thing.do', summary: 'Do it.' } as const;
const stream = () => 'member-1_2';
const decide = (_: MemberState) => nothing;

it('a command with a missing part does not compile', () => {
  const forgotten = [
    // @ts-expect-error no route
    () => command({ ...named, structural: false, stream, decide }),
    // @ts-expect-error does not say whether it is structural
    () => command({ ...named, route, stream, decide }),
    // @ts-expect-error neither a decision nor its own `carryOut`
    () => command({ ...named, route, structural: false, stream }),
    // @ts-expect-error no stream
    () => command({ ...named, route, structural: false, decide }),
    // @ts-expect-error an unknown limit
    () => command({ ...named, route, structural: false, stream, decide, limit: { bucket: 'things', key: () => '1' } }),
    () =>
      command({
        ...named,
        ...{ route, structural: false, stream },
        body: t.type({ name: t.string }),
        // @ts-expect-error a field that it does not take
        decide: (_: MemberState, __, { fields }) => (fields.nam === '' ? nothing : nothing),
      }),
    () =>
      command({
        ...named,
        ...{ route, structural: false, stream, decide },
        // @ts-expect-error an event that nothing follows by its definition
        follow: { 'message-posted': () => [] },
      }),
    () =>
      command({
        ...named,
        ...{ route, structural: false, stream, decide },
        // @ts-expect-error an unknown kind of answer
        answer: async () => either.right({ kind: 'x' }),
      }),
    () => command({ ...named, route, structural: false, stream, decide, answer: async () => either.right(NOTHING) }),
  ];
  expect(forgotten).toHaveLength(9);
});
