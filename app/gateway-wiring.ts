/** The gateway's numbers from the configuration, and its counters in Prometheus. */
import { defaultGatewayConfig, type GatewayConfig, type GatewayMetrics } from '../gateway/index.ts';
import type { Config } from '../schemas/config.ts';
import type { Metrics } from './metrics.ts';

export const gatewayConfig = (config: Config): GatewayConfig => ({
  ...defaultGatewayConfig,
  heartbeatIntervalMs: config.heartbeatMs,
  byteBudget: config.socketBudgetBytes,
  resumeLimit: config.resumeLimit,
  resumeGatewayUrl: (host) => {
    if (config.resumeGatewayUrl !== null) return config.resumeGatewayUrl;
    if (config.publicUrl !== null) return `${config.publicUrl.replace(/^http/, 'ws')}/gateway`;
    return `ws://${host ?? `${config.host}:${config.port}`}/gateway`;
  },
});

export const gatewayMetrics = (metrics: Metrics): GatewayMetrics => ({
  sessions: (change) => metrics.sessions.inc(change),
  dispatches: (count) => metrics.dispatches.inc(count),
  bytes: (count) => metrics.dispatchBytes.inc(count),
  resumes: (outcome) => metrics.resumes.inc({ outcome }),
  closes: (code) => metrics.closes.inc({ code }),
  refusals: (reason) => metrics.refusals.inc({ error: reason }),
});
