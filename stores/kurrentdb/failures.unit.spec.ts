import { ErrorType } from '@eventstore/db-client';
import { describe, expect, it } from 'vitest';
import { classify, isMisplaced, isUnsent, NoAnswer } from './failures.ts';

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
  ])('%s is transient: nobody knows what became of the question', (type) =>
    expect(classify(answered(type))).toBe('transient'),
  );

  it.each([
    ErrorType.INVALID_ARGUMENT,
    ErrorType.STREAM_DELETED,
    ErrorType.WRONG_EXPECTED_VERSION,
    ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED,
    ErrorType.MISSING_REQUIRED_METADATA_PROPERTY,
  ])('%s is permanent, and nothing was stored', (type) => expect(classify(answered(type))).toBe('permanent'));

  it('is damage if we lack a right', () => {
    expect(classify(answered(ErrorType.ACCESS_DENIED))).toBe('damaged');
  });

  it('is transient if no answer came, and a bug before anything was sent', () => {
    for (const failure of [new NoAnswer(100), new Error('broken'), undefined, null])
      expect(classify(failure)).toBe('transient');
    expect(classify(new TypeError('no'))).toBe('bug');
  });

  it('leaves no doubt where the request reached no server that could carry it out', () => {
    expect(isUnsent(answered(ErrorType.NOT_LEADER))).toBe(true);
    expect(isUnsent(new Error('14 UNAVAILABLE: No connection established. Last error: ECONNREFUSED'))).toBe(true);
    expect(isUnsent(answered(ErrorType.UNAVAILABLE, '14 UNAVAILABLE: Connection dropped'))).toBe(false);
    expect(isUnsent(new NoAnswer(100))).toBe(false);
  });

  it('is recognized if no record begins at the position', () => {
    expect(isMisplaced(answered(ErrorType.UNKNOWN, 'ReadAll failed: InvalidPosition'))).toBe(true);
    expect(isMisplaced(answered(ErrorType.UNKNOWN))).toBe(false);
    expect(isMisplaced(answered(ErrorType.TIMEOUT, 'invalid position'))).toBe(false);
  });
});
