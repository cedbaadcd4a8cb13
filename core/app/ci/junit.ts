/** The outcomes of a run as JUnit XML, the form that CI services read: one suite, one case a task. Pure. */
import type { RunReport, TaskOutcome } from '../../graph/tasks/outcome.ts';
import { packageOf } from '../selection/targets.ts';

/** `tail`: the last lines that a task printed. */
export function junitXml({ outcomes, summary }: RunReport, tail: (task: string) => readonly string[]): string {
  const cases = outcomes.map((outcome) => caseOf(outcome, tail(outcome.name)));
  const counts = `tests="${outcomes.length}" failures="${summary.failed}" errors="0" skipped="${summary.skipped}" time="${seconds(summary.ms)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="fleche" ${counts}>`,
    `<testsuite name="fleche" ${counts}>`,
    ...cases,
    '</testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseOf({ name, outcome, ms, message }: TaskOutcome, lines: readonly string[]): string {
  const head = `<testcase classname="${xml(packageOf(name))}" name="${xml(name)}" time="${seconds(ms)}"`;
  const output = lines.length === 0 ? '' : `<system-out>${xml(lines.join('\n'))}</system-out>`;
  const told = `<properties><property name="outcome" value="${outcome}"/></properties>`;
  if (outcome === 'failed') {
    const text = message ?? 'it failed';
    return `${head}>${told}<failure message="${xml(text.split('\n')[0] ?? text)}">${xml(text)}</failure>${output}</testcase>`;
  }
  if (outcome === 'skipped') return `${head}>${told}<skipped/></testcase>`;
  return `${head}>${told}${output}</testcase>`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to write them
const UNSPEAKABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

function xml(text: string): string {
  return text
    .replace(UNSPEAKABLE, '\ufffd')
    .replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char)
    .replaceAll('\n', '&#10;');
}
