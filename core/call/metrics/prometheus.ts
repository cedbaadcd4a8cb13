/** Metrics in the text format that Prometheus scrapes. Pure: serving the text is the program's own business. */
import {
  type CallOutcome,
  type FunctionMetrics,
  LATENCY_BOUNDS,
  type MetricsSnapshot,
  type MetricsSummary,
} from './metrics.ts';

interface Counter {
  readonly name: string;
  readonly help: string;
  readonly of: (metrics: MetricsSummary) => number;
}

/** What is told as plain counters, here and to OpenTelemetry. */
export const COUNTERS: readonly Counter[] = [
  { name: 'fleche_stale_served', help: 'Answers served past their age.', of: (metrics) => metrics.staleServed },
  { name: 'fleche_refreshes', help: 'Answers made anew in the background.', of: (metrics) => metrics.refreshes },
  {
    name: 'fleche_refresh_failures',
    help: 'Background refreshes that failed.',
    of: (metrics) => metrics.refreshFailures,
  },
  {
    name: 'fleche_wait_timeouts',
    help: 'Waits for another execution that were given up.',
    of: (metrics) => metrics.waitTimeouts,
  },
  { name: 'fleche_size_rejections', help: 'Results too large to be filed.', of: (metrics) => metrics.sizeRejections },
  { name: 'fleche_filed_bytes', help: 'Encoded bytes of filed results.', of: (metrics) => metrics.bytes },
];

export const CALLS = { name: 'fleche_calls', help: 'Calls of memoised functions, by outcome.' } as const;
export const LATENCY = { name: 'fleche_call_duration_seconds', help: 'Time from call to answer.' } as const;

/** The exposition text of a snapshot, format version 0.0.4. */
export function prometheusText({ functions }: MetricsSnapshot): string {
  const lines: string[] = [];
  const head = (name: string, help: string, type: string): number =>
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  head(`${CALLS.name}_total`, CALLS.help, 'counter');
  for (const each of functions) {
    for (const [outcome, { count }] of outcomesOf(each)) {
      lines.push(`${CALLS.name}_total{${labels(each, { outcome })}} ${count}`);
    }
  }
  for (const { name, help, of } of COUNTERS) {
    head(`${name}_total`, help, 'counter');
    for (const each of functions) lines.push(`${name}_total{${labels(each)}} ${of(each)}`);
  }
  head(LATENCY.name, LATENCY.help, 'histogram');
  for (const each of functions) {
    for (const [outcome, { count, sum, buckets }] of outcomesOf(each)) {
      if (count === 0) continue;
      for (const [at, bound] of LATENCY_BOUNDS.entries()) {
        const le = String(bound / 1000);
        lines.push(`${LATENCY.name}_bucket{${labels(each, { outcome, le })}} ${buckets[at] ?? 0}`);
      }
      lines.push(`${LATENCY.name}_bucket{${labels(each, { outcome, le: '+Inf' })}} ${count}`);
      lines.push(`${LATENCY.name}_sum{${labels(each, { outcome })}} ${sum / 1000}`);
      lines.push(`${LATENCY.name}_count{${labels(each, { outcome })}} ${count}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function outcomesOf({ latency }: MetricsSummary): readonly [CallOutcome, MetricsSummary['latency'][CallOutcome]][] {
  const { hit, miss, coalesced, bypassed } = latency;
  return [
    ['hit', hit],
    ['miss', miss],
    ['coalesced', coalesced],
    ['bypassed', bypassed],
  ];
}

function labels({ name, module }: FunctionMetrics, more: Readonly<Record<string, string>> = {}): string {
  const all = { function: name, module: module ?? '', ...more };
  return Object.entries(all)
    .map(([label, value]) => `${label}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
