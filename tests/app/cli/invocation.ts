/** The command line: what is understood, and what is said about what is not. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInvocation } from '../../../core/app/cli/invocation.ts';
import { GLOBAL_OPTIONS } from '../../../core/app/cli/options.ts';
import { VERBS } from '../../../core/app/cli/verbs.ts';
import { FlecheError } from '../../../core/base/errors.ts';

const parse = (...argv: string[]): ReturnType<typeof parseInvocation> => parseInvocation(argv, VERBS);

function refusal(...argv: string[]): string {
  try {
    parse(...argv);
  } catch (error) {
    assert.instance(error, FlecheError);
    assert.is((error as FlecheError).code, 'USAGE');
    return `${(error as FlecheError).message} | ${(error as FlecheError).hint}`;
  }
  throw new Error('was understood');
}

test('a verb, its tasks and its options, in any order', () => {
  for (const argv of [
    ['run', 'a', 'b', '--json', '--jobs=4'],
    ['--json', 'run', '-j4', 'a', 'b'],
    ['run', '--jobs', '4', 'a', '--json', 'b'],
    ['-j', '4', 'run', 'a', 'b', '--json'],
  ]) {
    const invocation = parse(...argv);
    assert.is(invocation.verb, 'run');
    assert.equal(invocation.args, ['a', 'b']);
    assert.is(invocation.flag('json'), true);
    assert.is(invocation.flag('force'), false);
    assert.is(invocation.text('jobs'), '4');
  }
});

test('short flags can stand together, the last with its value', () => {
  const invocation = parse('run', '-kj', '50%');
  assert.is(invocation.flag('keep-going'), true);
  assert.is(invocation.text('jobs'), '50%');
});

test('after two dashes everything is a task, and numbers stay as they are written', () => {
  assert.equal(parse('run', '007', '1e3', '--', '--json', '-x').args, ['007', '1e3', '--json', '-x']);
});

test('a flag can be given a value, and of several the last counts', () => {
  assert.is(parse('run', '--json=false').flag('json'), false);
  assert.is(parse('run', '--jobs=2', '--jobs=3').text('jobs'), '3');
  assert.is(parse('run', '--json', '--json').flag('json'), true);
});

test('--no-color needs no value, wherever it stands', () => {
  for (const argv of [
    ['--no-color', 'run', 'a'],
    ['run', '--no-color', 'a'],
  ]) {
    const invocation = parse(...argv);
    assert.equal(invocation.args, ['a']);
    assert.is(invocation.flag('no-color'), true);
  }
});

test('no word at all asks for help', () => {
  assert.is(parse().flag('help'), true);
  assert.is(parse('--color', 'never').flag('help'), true);
});

test('help can be asked for like a verb', () => {
  for (const [argv, verb] of [
    [['help'], undefined],
    [['help', 'run'], 'run'],
    [['help', 'watch', '--color', 'never'], 'watch'],
  ] as const) {
    assert.is(parse(...argv).verb, verb);
    assert.is(parse(...argv).flag('help'), true);
  }
  assert.is(refusal('help', 'rnu'), 'there is no verb "rnu" | Did you mean "run"?');
});

test('help and version go before faults of the arguments', () => {
  assert.is(parse('why', '--help').flag('help'), true);
  assert.is(parse('why', '-h').verb, 'why');
  assert.is(parse('run', '--version').flag('version'), true);
});

test('an unknown verb is named with the nearest', () => {
  assert.is(refusal('rnu'), 'there is no verb "rnu" | Did you mean "run"?');
  assert.match(refusal('frobnicate', '--odd'), /no verb "frobnicate" \| Known: run, watch, plan/);
});

test('an unknown option is named with the nearest', () => {
  assert.is(refusal('run', '--jsno'), 'there is no option --jsno of run | Did you mean "--json"?');
  assert.is(refusal('--stict'), 'there is no option --stict | Did you mean "--strict"?');
  assert.match(refusal('run', '-z'), /no option -z of run/);
  assert.is(refusal('run', '--no-json'), 'there is no option --no-json of run | Leave out --json.');
});

test('an option of another verb is unknown', () => {
  assert.match(refusal('why', 'a', '--jobs=3'), /no option --jobs of why/);
});

test('names of members that every object has are options like others', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'a.b']) {
    assert.match(refusal('run', `--${name}=1`), /there is no option/);
  }
});

test('an option that needs a value says so', () => {
  assert.is(refusal('run', '--jobs'), '--jobs needs a value | Write --jobs=N|P%.');
  assert.is(refusal('run', '--jobs', '--json'), '--jobs needs a value | Write --jobs=N|P%.');
  assert.is(refusal('run', '--log='), '--log needs a value | Write --log=stream|grouped|quiet.');
});

test('a value that is no choice is named with the nearest', () => {
  assert.is(refusal('run', '--log', 'steam'), '--log cannot be "steam" | Did you mean "stream"?');
});

test('too few and too many arguments are told', () => {
  assert.is(refusal('why'), 'why needs more arguments | Write fleche why <task>.');
  assert.is(refusal('why', 'a', 'b'), '"b" is one argument too many | Write fleche why <task>.');
});

test('whatever is written is understood or refused, never worse', () => {
  const word = fc.oneof(
    fc.constantFrom('run', 'why', '--json', '-j', '--jobs', '--', '-k', '--no-', '--=', '-', '---', '-=', '--cwd', '='),
    fc.string({ maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      try {
        parse(...argv);
      } catch (error) {
        assert.instance(error, FlecheError);
      }
    }),
    { numRuns: 2000, examples: [[['-_']], [['run', '--_']], [['run', '-k_', 'x']]] },
  );
});

test('an option means the same kind of thing with every verb', () => {
  const kinds = new Map<string, string>();
  for (const option of [...GLOBAL_OPTIONS, ...VERBS.flatMap((verb) => verb.options)]) {
    const kind = JSON.stringify([option.short, option.value, option.choices]);
    assert.is(kinds.get(option.name) ?? kind, kind, option.name);
    kinds.set(option.name, kind);
  }
});

test.run();
