/** Stories that a workspace may live through, at random: what is configured at first, and in each chapter edits and an act. */
import * as fc from 'fast-check';
import type { Blueprint } from './_blueprint.ts';
import { type Edit, type Editable, edit, sourceEdit, watchedEdit } from './_edits.ts';
import { TELLS } from './_task-plan.ts';

/** Workspaces of one kind. `P` stands for one of them in a story, as plain data. */
export interface World<P> extends Editable {
  plan(manner: Manner): fc.Arbitrary<P>;
  draw(plan: P): Blueprint;
  /** Files that stand there at first, beside those that configure it. */
  readonly begin: Readonly<Record<string, string>>;
}

/**
 * How runs are done: within this process; as processes of their own, which can be killed, and whose cache can be damaged;
 * or by a watch, for which a run is the time until nothing is left to do.
 */
type Manner = 'inside' | 'outside' | 'watch';

export type Act =
  | { readonly kind: 'run'; readonly jobs: number; readonly target: number | undefined; readonly force: boolean }
  | { readonly kind: 'abort' | 'kill'; readonly jobs: number; readonly after: number }
  | { readonly kind: 'twice'; readonly jobs: number; readonly after: number }
  | { readonly kind: 'disturb'; readonly jobs: number; readonly edits: readonly Late[] }
  | { readonly kind: 'wipe' }
  | { readonly kind: 'halve'; readonly salt: number }
  | { readonly kind: 'damage'; readonly at: number };

/** An edit so many ms after the one before it. */
interface Late {
  readonly after: number;
  readonly edit: Edit;
}

export interface Chapter {
  readonly edits: readonly Edit[];
  readonly act: Act;
}

export interface Story<P> {
  readonly plan: P;
  readonly chapters: readonly Chapter[];
}

const jobs = fc.integer({ min: 1, max: 3 });
const after = fc.nat(60);
const force = fc.integer({ min: 0, max: 11 }).map((n) => n === 11);

export function story<P>(manner: Manner, world: World<P>): fc.Arbitrary<Story<P>> {
  return fc.record({
    plan: world.plan(manner),
    chapters: fc.array(chapter(manner, world), { minLength: 1, maxLength: manner === 'outside' ? 8 : 10 }),
  });
}

export function chapter(manner: Manner, editable: Editable): fc.Arbitrary<Chapter> {
  const isWatch = manner === 'watch';
  const edits = isWatch ? edit(editable).filter(isForWatch) : edit(editable);
  const act = isWatch ? watchAct(editable) : runAct(editable, manner === 'outside');
  return fc.record({ edits: fc.array(edits, { maxLength: 3 }), act });
}

/** The environment of a watch never changes, and what a depfile does not tell of, a header that is not there, it cannot wait for. */
function isForWatch(one: Edit): boolean {
  const tellsLess = one.kind === 'plan' && one.key === 'tells' && TELLS[one.value] === 'depfile';
  return one.kind !== 'level' && !tellsLess;
}

function runAct(editable: Editable, isOutside: boolean): fc.Arbitrary<Act> {
  const target = fc.option(fc.nat(6), { nil: undefined, freq: 4 });
  const acts: fc.WeightedArbitrary<Act>[] = [
    { weight: 14, arbitrary: fc.record({ kind: fc.constant('run' as const), jobs, target, force }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const), jobs, after }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('twice' as const), jobs, after }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('disturb' as const),
        jobs,
        edits: fc.array(fc.record({ after, edit: sourceEdit(editable) }), { minLength: 1, maxLength: 1 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'wipe' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('halve' as const), salt: fc.nat(1000) }) },
  ];
  if (isOutside) {
    acts.push({ weight: 5, arbitrary: fc.record({ kind: fc.constant('kill' as const), jobs, after: fc.nat(250) }) });
    acts.push({ weight: 2, arbitrary: fc.record({ kind: fc.constant('damage' as const), at: fc.nat(1_000_000) }) });
  }
  return fc.oneof(...acts);
}

function watchAct(editable: Editable): fc.Arbitrary<Act> {
  const late = fc.record({ after: fc.nat(40), edit: watchedEdit(editable) });
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('run' as const), jobs, target: fc.constant(undefined), force }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('disturb' as const),
        jobs,
        edits: fc.array(late, { minLength: 1, maxLength: 6 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), jobs, after }) },
  );
}
