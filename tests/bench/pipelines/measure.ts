/** Measures some runners in one scenario, in turn, and looks whether each did what it had to and no more. */
import type { Result } from './report.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import type { Settings, Subject } from './subject.ts';
import type { Run } from './timing.ts';
import { takeRan, wrongOutputs } from './workload.ts';

/** What is wrong with a run that just ended, and how many tasks ran. */
function judged(subject: Subject, scenario: Scenario, run: Run): { faults: string[]; ran: number } {
  const { workload, adapter } = subject;
  const ran = takeRan(workload);
  const faults: string[] = [];
  if (run.exitCode !== 0) faults.push(`exit code ${run.exitCode}: ${run.text.trim().slice(-200)}`);
  if (adapter.name.startsWith('floor')) return { faults, ran: 0 };
  const { must, may } = scenario.expected(workload);
  const allowed = new Set([...must, ...may]);
  // What is traced and does not matter need not run.
  const missing = adapter.traces === true && scenario.mayBeTraced ? [] : must.filter((name) => !ran.includes(name));
  const needless = ran.filter((name, at) => !allowed.has(name) || ran[at - 1] === name);
  if (missing.length > 0) faults.push(`${missing.length} did not run`);
  if (needless.length > 0) faults.push(`${needless.length} ran needlessly`);
  return { faults, ran: ran.length };
}

export async function measure(
  name: string,
  subjects: readonly Subject[],
  size: string,
  settings: Settings,
): Promise<Result[]> {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  const plans = subjects
    .filter(({ adapter }) => adapter.scenarios?.includes(name) ?? (adapter.restores || !scenario.restores))
    .map((subject) => ({ subject, wall: [] as number[], cpu: [] as number[], faults: new Set<string>(), ran: 0 }));
  const began = performance.now();
  // The first round warms up what only the second is fair to: caches of compiled code, daemons, the disk's own cache.
  for (let round = -1; round < settings.rounds; round++) {
    if (round > 0 && performance.now() - began > settings.budget) {
      console.error(`${size}: ${name} took long: ${round} of ${settings.rounds} rounds`);
      break;
    }
    for (const plan of plans) {
      const { subject, wall, cpu, faults } = plan;
      if (faults.has('given up')) continue;
      scenario.prepare(subject.workload, subject.adapter.caches);
      if (!scenario.warm) await subject.stop();
      const run = await subject.run();
      const judgement = judged(subject, scenario, run);
      for (const fault of judgement.faults) faults.add(fault);
      if (run.exitCode === null) {
        faults.add('given up');
        console.error(
          `${size}: ${name}: ${subject.adapter.name} takes longer than ${settings.limit / 1000} s, left out`,
        );
      }
      if (round < 0) continue;
      plan.ran = judgement.ran;
      wall.push(run.wall);
      cpu.push(run.cpu);
    }
  }
  for (const { subject, faults } of plans) {
    const wrong = subject.adapter.name.startsWith('floor') ? [] : wrongOutputs(subject.workload);
    if (wrong.length > 0) faults.add(`${wrong.length} wrong outputs, such as ${wrong[0]}`);
  }
  return plans.map(({ subject, wall, cpu, faults, ran }) => ({
    size,
    scenario: name,
    runner: subject.adapter.name,
    wall,
    cpu,
    ran,
    faults: [...faults],
  }));
}
