import { ErrorType } from '@eventstore/db-client';
import { describe, expect, it } from 'vitest';
import { classify, isMisplaced, NoAnswer } from './failures.ts';

const answered = (type: ErrorType | string, message = 'said the server') => Object.assign(new Error(message), { type });

describe('a failure of KurrentDB', () => {
  it.each([
    ErrorType.UNAVAILABLE,
    ErrorType.CANCELLED,
    ErrorType.DEADLINE_EXCEEDED,
    ErrorType.TIMEOUT,
    ErrorType.NOT_LEADER,
    ErrorType.UNKNOWN,
    'an unknown type',
  ])('%s is transient', (type) => expect(classify(answered(type))).toBe('transient'));

  it.each([ErrorType.INVALID_ARGUMENT, ErrorType.STREAM_DELETED])('%s is permanent', (type) =>
    expect(classify(answered(type))).toBe('permanent'),
  );

  it('is damage if we lack a right', () => {
    expect(classify(answered(ErrorType.ACCESS_DENIED))).toBe('damaged');
  });

  it('is transient if no answer came, and a bug before anything was sent', () => {
    for (const failure of [new NoAnswer(100), new Error('broken'), undefined, null])
      expect(classify(failure)).toBe('transient');
    expect(classify(new TypeError('no'))).toBe('bug');
  });

  it('is recognized if no record begins at the position', () => {
    expect(isMisplaced(answered(ErrorType.UNKNOWN, 'ReadAll failed: InvalidPosition'))).toBe(true);
    expect(isMisplaced(answered(ErrorType.UNKNOWN))).toBe(false);
    expect(isMisplaced(answered(ErrorType.TIMEOUT, 'invalid position'))).toBe(false);
  });
});
