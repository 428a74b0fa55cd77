/** Tells operators about servers that do not answer: one line when an outage begins, one when it ends, and metrics. */

import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { shortReason, type Watch } from '../../stores/guard.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

/** A server, as operators know it. */
export interface Server {
  /** Such as `redis`: the label of its metrics. */
  readonly store: string;
  /** Such as `Redis`. */
  readonly name: string;
  readonly variable: string;
  /** `host:port` of each. */
  readonly hosts: string;
  /** What this process does meanwhile. */
  readonly meanwhile: string;
  /** What to do when its tables are gone. */
  readonly repair: string;
}

interface OutagesOptions {
  readonly logger: {
    warn(fields: object, message: string): void;
    info(fields: object, message: string): void;
  };
  readonly metrics: Pick<Metrics, 'storeAvailable' | 'storeOutages' | 'breakerOpen'>;
  readonly clock: Clock;
}

const { tellMs, againMs } = BUDGETS.outages;

class Outage implements Watch {
  private readonly server: Server;
  private readonly options: OutagesOptions;
  private since: number | undefined;
  private told = false;
  private ended = Number.NEGATIVE_INFINITY;
  private reason = '';
  private kind: 'transient' | 'damaged' = 'transient';

  constructor(server: Server, options: OutagesOptions) {
    this.server = server;
    this.options = options;
    const { storeAvailable, breakerOpen } = options.metrics;
    storeAvailable.set({ store: server.store }, 1);
    breakerOpen.set({ store: server.store }, 0);
  }

  answered(): void {
    if (this.since === undefined) return;
    const { store, name } = this.server;
    const { logger, metrics, clock } = this.options;
    metrics.breakerOpen.set({ store }, 0);
    if (this.told) {
      this.ended = clock.monotonic();
      metrics.storeAvailable.set({ store }, 1);
      logger.info({ store, seconds: this.seconds }, `${name} answers again`);
    }
    this.since = undefined;
    this.told = false;
  }

  failed(failure: unknown, kind: 'transient' | 'damaged', refused: boolean): void {
    const { store } = this.server;
    const { metrics, clock } = this.options;
    const now = clock.monotonic();
    this.since ??= now;
    if (refused) metrics.breakerOpen.set({ store }, 1);
    else {
      this.reason = shortReason(failure);
      this.kind = kind;
    }
    // A server that keeps coming and going is reported less often.
    const patience = now - this.ended < againMs ? againMs : tellMs;
    if (!this.told && (refused || now - this.since >= patience)) this.tell();
  }

  private tell(): void {
    const { store, name, variable, hosts, meanwhile, repair } = this.server;
    const { logger, metrics } = this.options;
    this.told = true;
    metrics.storeAvailable.set({ store }, 0);
    metrics.storeOutages.inc({ store });
    logger.warn(
      { store, reason: this.reason },
      this.kind === 'damaged'
        ? `${name} (${variable}) answers at ${hosts}, but what this process needs is not there. ${repair}`
        : `${name} (${variable}) does not answer at ${hosts}. ${meanwhile} See docs/cluster.md, "When a part is gone".`,
    );
  }

  /** For everybody who asks whether this process is ready, so without what the server said. */
  get state(): string | undefined {
    return this.told ? `${this.server.name} does not answer (${this.seconds} s). ${this.server.meanwhile}` : undefined;
  }

  private get seconds(): number {
    return Math.round((this.options.clock.monotonic() - (this.since ?? 0)) / 1000);
  }
}

export class Outages {
  private readonly options: OutagesOptions;
  private readonly outages = new Map<string, Outage>();

  constructor(options: OutagesOptions) {
    this.options = options;
  }

  /** The one watch of a server, however many connections it has. */
  watch(server: Server): Watch {
    let outage = this.outages.get(server.store);
    if (outage === undefined) {
      outage = new Outage(server, this.options);
      this.outages.set(server.store, outage);
    }
    return outage;
  }

  /** A sentence for each server that does not answer. */
  states(): readonly string[] {
    return [...this.outages.values()].flatMap((outage) => outage.state ?? []);
  }
}
