/** Changes that people make to a workspace, at random. Numbers choose among what there is. */
import * as fc from 'fast-check';

/** A change of a file that no task wrote. */
export type SourceEdit =
  | { readonly kind: 'write' | 'sneak'; readonly file: string; readonly text: string }
  | { readonly kind: 'delete' | 'touch' | 'chmod'; readonly file: string }
  | { readonly kind: 'rename' | 'link'; readonly file: string; readonly other: string };

/** A change of what is configured: one figure of it. */
export interface PlanEdit {
  readonly kind: 'plan';
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

/** A change of what tasks wrote, or of what stands among it. */
type OutputEdit =
  | { readonly kind: 'edit-output' | 'delete-output' | 'chmod-output' | 'folder-for-output'; readonly which: number }
  | { readonly kind: 'delete-outputs' | 'squat'; readonly task: number }
  | { readonly kind: 'hand' | 'unhand'; readonly task: number; readonly name: string; readonly text: string };

export type Edit =
  | SourceEdit
  | PlanEdit
  | OutputEdit
  | { readonly kind: 'level'; readonly level: string | undefined }
  | { readonly kind: 'empty-folder' };

/** What there is to edit. */
export interface Editable {
  readonly files: readonly string[];
  readonly texts: readonly string[];
  /** How often it is what is configured that is changed: 20 is as often as anything else. */
  readonly restless: number;
  /** Changes of what is configured, and those that can be made while tasks run and the configuration is watched. */
  readonly figures: fc.Arbitrary<PlanEdit>;
  readonly watchedFigures: fc.Arbitrary<PlanEdit>;
}

const task = fc.nat(6);
const which = fc.nat(30);

/** A change of one of these figures; the first of a pair is its name, the second the most it can be. */
export function planEdit(
  ...figures: readonly (readonly [key: string, most: number, weight: number])[]
): fc.Arbitrary<PlanEdit> {
  return fc.oneof(
    ...figures.map(([key, most, weight]) => ({
      weight,
      arbitrary: fc.record({
        kind: fc.constant('plan' as const),
        key: fc.constant(key),
        at: task,
        value: fc.nat(most),
      }),
    })),
  );
}

export function sourceEdit({ files, texts }: Editable): fc.Arbitrary<SourceEdit> {
  const file = fc.constantFrom(...files);
  const text = fc.constantFrom(...texts);
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), file, text }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('sneak' as const), file, text }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'touch' as const, 'chmod' as const), file }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constantFrom('rename' as const, 'link' as const), file, other: file }),
    },
  );
}

/** What can be done while nothing runs. */
export function edit(editable: Editable): fc.Arbitrary<Edit> {
  const text = fc.constantFrom(...editable.texts);
  return fc.oneof(
    { weight: 12, arbitrary: sourceEdit(editable) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('level' as const), level: fc.constantFrom(undefined, '1', '2') }),
    },
    { weight: editable.restless, arbitrary: editable.figures },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'edit-output' as const,
          'delete-output' as const,
          'chmod-output' as const,
          'folder-for-output' as const,
        ),
        which,
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('delete-outputs' as const, 'squat' as const), task }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('hand' as const, 'hand' as const, 'unhand' as const),
        task,
        name: fc.constantFrom('hand', 'hand2'),
        text,
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'empty-folder' as const }) },
  );
}

/** What edits can be made while tasks run and the configuration is watched. */
export function watchedEdit(editable: Editable): fc.Arbitrary<Edit> {
  const output: fc.Arbitrary<Edit> = fc.record({
    kind: fc.constantFrom('edit-output' as const, 'delete-output' as const, 'chmod-output' as const),
    which,
  });
  return fc.oneof(
    { weight: 12, arbitrary: sourceEdit(editable) },
    { weight: 3, arbitrary: editable.watchedFigures },
    { weight: 3, arbitrary: output },
  );
}
