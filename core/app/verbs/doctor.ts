/** `fleche doctor`: looks the cache over and says what is wrong with it, and what to do about it. Changes nothing. */
import { join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { formatSize } from '../../base/size.ts';
import type { Lease } from '../../store/leases.ts';
import { inspectLmdb, type LmdbReport } from '../../store/lmdb/lmdb-inspect.ts';
import { isAbandoned } from '../../store/owner.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import { harmless } from '../terminal/text.ts';

/** Something that is wrong. */
interface Finding {
  readonly what: string;
  readonly advice: string;
}

/** What runs that were killed left behind, which is nobody's fault and mended by itself. */
interface Leftover {
  readonly what: string;
  readonly how: string;
}

export async function doctor(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const warnings: string[] = [];
  const project = await context.open((message) => warnings.push(message));
  try {
    const folder = project.cacheFolder();
    const report = folder === undefined ? undefined : inspectLmdb(folder, project.now());
    const usable = report?.exists === true && report.damage === null && report.obstacles.length === 0;
    const leases = usable ? (project.stores().leases()?.list() ?? []) : [];
    const shared = await sharedStates(project);
    const findings = [
      ...(report === undefined ? [] : findingsOf(report)),
      ...shared.flatMap(findingOf),
      ...warnings.map((what) => ({ what: harmless(what), advice: 'runs go on without it' })),
    ];
    const leftovers = [...(report === undefined ? [] : orphaned(report)), ...abandoned(leases, project.now())];
    if (invocation.flag('json')) {
      const all = { type: 'doctor', report: report ?? null, leases, shared, findings, leftovers };
      machine.stdout.write(`${JSON.stringify(all)}\n`);
    } else {
      machine.stdout.write(reportText(report, shared, leftovers, findings, project.root));
    }
    return findings.length === 0 ? EXIT.done : EXIT.failed;
  } finally {
    await project.close();
  }
}

function findingsOf(report: LmdbReport): readonly Finding[] {
  const findings: Finding[] = [
    ...report.obstacles.map((what) => ({
      what: `nothing can be kept: ${harmless(what)}`,
      advice: 'put it right, or name another folder for the cache: where a run cannot do so itself, it does everything',
    })),
    ...report.troubles.map((what) => ({ what: harmless(what), advice: 'runs go on without it' })),
  ];
  if (report.damage !== null) {
    findings.push({
      what: `the database is damaged: ${report.damage}`,
      advice: 'the next run sets it aside and starts afresh',
    });
  }
  if (report.undecodable.length > 0) {
    findings.push({
      what: `${counted(report.undecodable.length, 'record')} cannot be read: damaged, or of another version`,
      advice: 'nothing is lost but a run of each, which replaces it; fleche clean --cache begins anew',
    });
  }
  if (report.strangers.length > 0) {
    findings.push({
      what: `strange files among the values: ${report.strangers.slice(0, 3).map(harmless).join(', ')}`,
      advice: 'remove them',
    });
  }
  return findings;
}

function localLines(report: LmdbReport | undefined, root: string): readonly string[] {
  if (report === undefined) return ['the cache is in memory: nothing to look over'];
  if (!report.exists) return [`there is no cache in ${harmless(root)}${report.obstacles.length === 0 ? ' yet' : ''}`];
  const { bytes, counts } = report;
  return [
    `${harmless(report.root)}: ${counted(counts.records, 'record')}, ${counted(counts.inline + counts.files, 'value')}`,
    `database ${formatSize(bytes.database)}, files ${formatSize(bytes.blobs)}, trash ${formatSize(bytes.trash)}`,
  ];
}

/** A shared cache as it can be used here. */
interface SharedState {
  readonly name: string;
  readonly location: string;
  readonly mode: string;
  /** Why it does not answer, or null. */
  readonly trouble: string | null;
}

async function sharedStates(project: Project): Promise<readonly SharedState[]> {
  const tiers = (await project.shared()?.tiers()) ?? [];
  return Promise.all(
    tiers.map(async (tier): Promise<SharedState> => {
      const trouble = await tier.ping().then(
        () => null,
        (error: unknown) => messageOf(error),
      );
      return { name: tier.name, location: tier.report.location, mode: tier.mode, trouble };
    }),
  );
}

function sharedLine({ name, location, mode, trouble }: SharedState): string {
  return `shared "${harmless(name)}" (${harmless(location)}): ${mode}, ${trouble === null ? 'answers' : 'does not answer'}`;
}

function findingOf({ name, trouble }: SharedState): readonly Finding[] {
  if (trouble === null) return [];
  const what = `the shared cache "${harmless(name)}" does not answer: ${harmless(trouble)}`;
  return [{ what, advice: 'runs go on without it; look at its address, its server and the token' }];
}

function orphaned({ root, orphans }: LmdbReport): readonly Leftover[] {
  if (orphans.length === 0) return [];
  const how = `fleche gc removes from ${harmless(join(root, 'tmp'))} what is older than a day`;
  return [{ what: `left behind by runs that were killed: ${counted(orphans.length, 'file')} in the making`, how }];
}

function abandoned(leases: readonly Lease[], now: number): readonly Leftover[] {
  const dead = leases.filter((lease) => isAbandoned(lease, now));
  if (dead.length === 0) return [];
  return [
    { what: `${counted(dead.length, 'lease')} of processes that are gone`, how: 'whoever needs one takes it over' },
  ];
}

function reportText(
  report: LmdbReport | undefined,
  shared: readonly SharedState[],
  leftovers: readonly Leftover[],
  findings: readonly Finding[],
  root: string,
): string {
  const lines = [
    ...localLines(report, root),
    ...shared.map(sharedLine),
    ...leftovers.map(({ what, how }) => `- ${what}\n  ${how}`),
    ...findings.map(({ what, advice }) => `! ${what}\n  ${advice}`),
    findings.length === 0 ? 'nothing is wrong' : `${counted(findings.length, 'finding')}`,
  ];
  return `${lines.join('\n')}\n`;
}
