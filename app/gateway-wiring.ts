/** The gateway's numbers from the configuration, and its counters in Prometheus. */
import { defaultGatewayConfig, type GatewayConfig, type GatewayMetrics } from '../gateway/index.ts';
import type { Config } from '../schemas/config.ts';
import { gatewayUrlOf } from './http/gateway-url.ts';
import type { Metrics } from './metrics.ts';

export const gatewayConfig = (config: Config): GatewayConfig => ({
  ...defaultGatewayConfig,
  heartbeatIntervalMs: config.heartbeatMs,
  byteBudget: config.socketBudgetBytes,
  resumeLimit: config.resumeLimit,
  resumeGatewayUrl: (host) => config.resumeGatewayUrl ?? gatewayUrlOf(config)({ headers: { host } }),
});

export const gatewayMetrics = (metrics: Metrics): GatewayMetrics => ({
  sessions: (change) => metrics.sessions.inc(change),
  dispatches: (count) => metrics.dispatches.inc(count),
  bytes: (count) => metrics.dispatchBytes.inc(count),
  resumes: (outcome) => metrics.resumes.inc({ outcome }),
  closes: (code) => metrics.closes.inc({ code }),
  refusals: (reason) => metrics.refusals.inc({ error: reason }),
});
