import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchWriter } from './batch.ts';
import { type HoldingProcess, ProcessLink } from './process-link.ts';

/** A process of which the spec says what it has done. */
const aProcess = () => {
  const process = {
    done: 0,
    current: 1,
    awaited: new Set<ProcessLink>(),
    say: () => new BatchWriter(),
    write: () => {},
    terminate: () => {},
    soon: setImmediate,
    flushed: () => {},
  };
  return process satisfies HoldingProcess as typeof process;
};

describe('what waits for a socket elsewhere', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ write: fc.integer({ min: 1, max: 1_000 }) }),
      fc.constant({ next: true }),
      fc.constant({ done: true }),
    ),
    { maxLength: 200 },
  );

  it('is never less than what is on its way, and nothing once all has arrived', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const process = aProcess();
        const link = new ProcessLink(process, 1);
        /** Bytes by batch. */
        const written: number[] = [];
        for (const step of all) {
          if ('write' in step) {
            link.write(Buffer.alloc(step.write));
            written[process.current] = (written[process.current] ?? 0) + step.write;
          } else if ('next' in step) process.current += 1;
          else if (process.done < process.current - 1) process.done += 1;
          const onTheWay = written.slice(process.done + 1).reduce((sum, bytes) => sum + (bytes ?? 0), 0);
          expect(link.writableLength).toBeGreaterThanOrEqual(onTheWay);
        }
        process.done = process.current;
        expect(link.writableLength).toBe(0);
      }),
    );
  });

  it('does not grow while the process keeps up, however many batches are under way', () => {
    const process = aProcess();
    const link = new ProcessLink(process, 1);
    for (let n = 0; n < 1_000; n += 1) {
      link.write(Buffer.alloc(100));
      process.current += 1;
      process.done = Math.max(0, process.current - 3);
      expect(link.writableLength).toBeLessThanOrEqual(600);
    }
  });

  it('is told once to whoever waits for it, when all has arrived', () => {
    const process = aProcess();
    const link = new ProcessLink(process, 1);
    let drains = 0;
    link.on('drain', () => {
      drains += 1;
    });
    expect(process.awaited.size).toBe(0);
    link.write(Buffer.alloc(10));
    link.waits(5);
    process.done = 1;
    for (const each of process.awaited) each.tellIfDrained();
    expect(drains).toBe(0);
    link.waits(0);
    for (let look = 0; look < 2; look += 1) for (const each of process.awaited) each.tellIfDrained();
    expect([drains, process.awaited.size]).toEqual([1, 0]);
  });
});
