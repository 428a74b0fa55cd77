import fc from 'fast-check';
import { either } from 'fp-ts';
import { describe, expect, it } from 'vitest';
import type { Decision } from './decider.ts';
import { befriend, block, RelationshipType, relationOf, relationshipFold, unrelate } from './relationship.ts';
import { ANN, BEN, events, History, NOW } from './testing.ts';

const begun = () => {
  const history = new History(relationshipFold, 'relationship-1_2');
  let key = 0;
  const apply = (decision: Decision): string | undefined => {
    if (either.isLeft(decision)) return decision.left.name;
    history.record(decision.right, `key-${key}`, NOW);
    return undefined;
  };
  const relating = (by: string) => {
    key += 1;
    return { by, other: by === ANN ? BEN : ANN, key: `key-${key}` };
  };
  return {
    befriend: (by: string) => apply(befriend({ ...relating(by), isFull: undefined }, history.state)),
    block: (by: string) => apply(block({ ...relating(by), isFull: false }, history.state)),
    end: (by: string) => apply(unrelate(relating(by), history.state)),
    relations: () => [ANN, BEN].map((id) => relationOf(id, history.state.bond)),
    history,
  };
};

const { friend, blocked, incomingRequest, outgoingRequest } = RelationshipType;

describe('a relationship', () => {
  it('begins with a request that the other accepts by asking too', () => {
    const pair = begun();
    pair.befriend(ANN);
    expect(pair.relations()).toEqual([outgoingRequest, incomingRequest]);
    pair.befriend(ANN);
    expect(pair.history.state.sequence).toBe(1);
    pair.befriend(BEN);
    expect(pair.relations()).toEqual([friend, friend]);
  });

  it.each([ANN, BEN])('ends for both, whoever ends it (%s)', (by) => {
    const pair = begun();
    pair.befriend(ANN);
    pair.end(by);
    expect(pair.relations()).toEqual([undefined, undefined]);
    pair.end(by);
    expect(pair.history.state.sequence).toBe(2);
  });

  it('is a block for the one, and nothing for the other', () => {
    const pair = begun();
    pair.befriend(ANN);
    pair.befriend(BEN);
    pair.block(BEN);
    expect(pair.relations()).toEqual([undefined, blocked]);
    expect(pair.befriend(ANN)).toBe('friendRequestBlocked');
    expect(pair.befriend(BEN)).toBe('friendRequestBlocked');
    pair.end(ANN);
    expect(pair.relations()).toEqual([undefined, blocked]);
    pair.block(ANN);
    pair.end(BEN);
    expect(pair.relations()).toEqual([blocked, undefined]);
  });

  it('is refused where there are too many, unless it only repeats', () => {
    const { history } = begun();
    const asks = (isFull: 'own' | 'others') => befriend({ by: ANN, other: BEN, key: 'k', isFull }, history.state);
    expect(asks('own')).toMatchObject({ left: { name: 'maximumFriends' } });
    expect(asks('others')).toMatchObject({ left: { name: 'friendRequestsFull' } });
    expect(block({ by: ANN, other: BEN, key: 'k', isFull: true }, history.state)).toMatchObject({
      left: { name: 'maximumBlocks' },
    });
  });

  it('is changed once under one key, whatever happened since', () => {
    const { history } = begun();
    const asked = { by: ANN, other: BEN, key: 'once', isFull: undefined };
    history.record(events(befriend(asked, history.state)), 'once');
    history.record(events(unrelate({ ...asked, key: 'other' }, history.state)), 'other');
    expect(befriend(asked, history.state)).toEqual(either.right([]));
  });

  it('looks alike from both sides, except where somebody blocks', () => {
    const acts = fc.array(fc.tuple(fc.constantFrom('befriend', 'block', 'end'), fc.constantFrom(ANN, BEN)));
    fc.assert(
      fc.property(acts, (all) => {
        const pair = begun();
        for (const [act, by] of all) pair[act as 'befriend'](by);
        const [ann, ben] = pair.relations();
        if (ann === friend || ben === friend) expect(ann).toBe(ben);
        if (ann === outgoingRequest) expect(ben).toBe(incomingRequest);
        if (ann === incomingRequest) expect(ben).toBe(outgoingRequest);
        if (ann === blocked) expect([undefined, blocked]).toContain(ben);
      }),
    );
  });
});
