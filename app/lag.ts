/** How far something lags behind the log, as operators are told. */

import type { Lag } from '../projections/engine/port.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** What lags further than this is late. */
export const LATE: Lag = { events: 10_000, seconds: 5 };

/** How late it is, in words; `undefined` within the limits. */
export const lateBy = ({ events, seconds }: Lag, limits: Lag = LATE): string | undefined =>
  events <= limits.events && seconds <= limits.seconds
    ? undefined
    : `${events} events (${seconds.toFixed(1)} s) behind the log`;

export const meterView = (metrics: Metrics, view: string, position: number, { events, seconds }: Lag): void => {
  metrics.viewPosition.set({ view }, position);
  metrics.viewLagEvents.set({ view }, events);
  metrics.viewLagSeconds.set({ view }, seconds);
};
