/** Progress that people see: a bar on a terminal, a line now and then elsewhere. */
import { Presets, SingleBar } from 'cli-progress';
import type { RebuildProgress } from '../../projections/runner/sqlite/rebuild.ts';
import { complain } from './configured.ts';

export interface Progress {
  /** @param total what there is to do, in the same unit as `done` */
  at(done: number, total: number): void;
  end(): void;
}

const LINE_EVERY_MS = 2000;

export const progress = (what: string, unit: string): Progress => {
  if (process.stderr.isTTY) {
    const bar = new SingleBar(
      { format: `${what} [{bar}] {percentage}% {value}/{total} ${unit} {eta_formatted}`, stream: process.stderr },
      Presets.shades_classic,
    );
    let started = false;
    return {
      at: (done, total) => {
        if (started) bar.update(done);
        else bar.start(total, done);
        started = true;
      },
      end: () => bar.stop(),
    };
  }
  let said = 0;
  let last = '';
  const line = (text: string) => {
    if (text !== last) complain(text);
    last = text;
  };
  return {
    at: (done, total) => {
      const now = Date.now();
      if (now - said < LINE_EVERY_MS && done < total) return;
      said = now;
      line(`${what}: ${done} of ${total} ${unit}`);
    },
    end: () => {},
  };
};

/** A bar for each step; the last one ends with the work, however that ends. */
export const shown = async <Step extends string, T>(
  units: Readonly<Record<Step, string>>,
  work: (onProgress: (step: Step, done: number, total: number) => void) => Promise<T>,
): Promise<T> => {
  let current: { readonly step: Step; readonly bar: Progress } | undefined;
  try {
    return await work((step, done, total) => {
      if (current?.step !== step) {
        current?.bar.end();
        current = { step, bar: progress(step, units[step]) };
      }
      current.bar.at(done, total);
    });
  } finally {
    current?.bar.end();
  }
};

/** For `openViews`: views are rebuilt at start when they are missing or outdated. */
export const rebuildProgress = () => {
  let shown: Progress | undefined;
  return ({ reason, through, head }: RebuildProgress): void => {
    shown ??= progress(`rebuilding the views (${reason})`, 'events');
    shown.at(through, head);
    if (through >= head) shown.end();
  };
};
