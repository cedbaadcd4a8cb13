/**
 * Metrics as instruments of OpenTelemetry, read whenever the program's exporter wants them. Needs the optional peer
 * package `@opentelemetry/api`, unless a meter is given.
 */
import { importPeer } from '../../store/peer.ts';
import { type FunctionMetrics, type MetricsSummary, metrics } from './metrics.ts';
import { CALLS, COUNTERS, LATENCY } from './prometheus.ts';

/** As much of a `Meter` of OpenTelemetry as is used. */
export interface ObservingMeter {
  createObservableCounter(name: string, options: { description: string; unit?: string }): ObservableInstrument;
}

interface ObservableInstrument {
  addCallback(callback: (result: ObservableResult) => void): void;
  removeCallback(callback: (result: ObservableResult) => void): void;
}

export interface ObservableResult {
  observe(value: number, attributes?: Record<string, string>): void;
}

const OUTCOMES = ['hit', 'miss', 'coalesced', 'bypassed'] as const;

/**
 * Tells a meter what the memoised functions of this process do, from now on; by default the meter `fleche` of the global
 * provider. Durations are told as their sum. Returns how to stop. Throws `PEER_MISSING`.
 */
export async function observeMetrics(meter?: ObservingMeter): Promise<() => void> {
  const chosen = meter ?? (await globalMeter());
  const stops: (() => void)[] = [];
  const observe = (
    name: string,
    options: { description: string; unit?: string },
    values: (of: FunctionMetrics) => readonly (readonly [value: number, attributes: Record<string, string>])[],
  ): void => {
    const instrument = chosen.createObservableCounter(name, options);
    const tell = (result: ObservableResult): void => {
      for (const each of metrics().snapshot().functions) {
        const of = { function: each.name, module: each.module ?? '' };
        for (const [value, attributes] of values(each)) result.observe(value, { ...of, ...attributes });
      }
    };
    instrument.addCallback(tell);
    stops.push(() => instrument.removeCallback(tell));
  };
  const byOutcome =
    (of: (latency: MetricsSummary['latency'][(typeof OUTCOMES)[number]]) => number) => (each: FunctionMetrics) =>
      OUTCOMES.map((outcome) => [of(each.latency[outcome]), { outcome }] as const);
  observe(
    CALLS.name,
    { description: CALLS.help },
    byOutcome(({ count }) => count),
  );
  for (const { name, help, of } of COUNTERS) observe(name, { description: help }, (each) => [[of(each), {}]]);
  observe(
    LATENCY.name,
    { description: LATENCY.help, unit: 's' },
    byOutcome(({ sum }) => sum / 1000),
  );
  return () => {
    for (const stop of stops) stop();
  };
}

async function globalMeter(): Promise<ObservingMeter> {
  const api = (await importPeer('@opentelemetry/api', 'telling OpenTelemetry about calls')) as {
    readonly metrics: { getMeter(name: string): ObservingMeter };
  };
  return api.metrics.getMeter('fleche');
}
