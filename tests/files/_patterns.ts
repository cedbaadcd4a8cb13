/** Random patterns. */
import fc from 'fast-check';

const magic = fc.constantFrom(
  ...['*', '**', '?', '?*', '*.ts', '*.{ts,js}', '[ab]', '[!a]', '!(a)', '@(a|b)', '{a,b/i}', '(a|b)'],
);

/** Patterns whose steps have magic or are among `names`. */
export function patternsOf(names: readonly string[]): fc.Arbitrary<string> {
  const step = fc.oneof(fc.constantFrom(...names), magic);
  return fc
    .tuple(fc.constantFrom('', '', '', '!', './'), fc.array(step, { minLength: 1, maxLength: 4 }))
    .map(([mark, steps]) => mark + steps.join('/'));
}
