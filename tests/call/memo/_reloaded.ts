/** A module that a test loads twice. */
import { fleche } from '../../../core/call/memo/fleche.ts';

export const triple: (x: number) => number = fleche(function triple(x: number) {
  return x * 3;
});
