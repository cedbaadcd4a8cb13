/** A task that is over. */
import type { TaskOutcome } from './outcome.ts';
import type { Product } from './product.ts';

export interface Settled {
  readonly outcome: TaskOutcome;
  /** What dependents can build on, if they can. */
  readonly product: Product | undefined;
}

/** `unsettled`: nothing was done, because something else must be done first; then the question is asked again. */
export type Acted =
  | { readonly kind: 'settled'; readonly settled: Settled }
  | { readonly kind: 'unsettled'; readonly disturbed: readonly string[] };
