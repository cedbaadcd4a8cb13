/** The help, from the tables of verbs and options. Pure. Loaded when it is asked for. */

import type { Style } from '../terminal/style.ts';
import { EXIT_TEXTS } from './exit-code.ts';
import type { VerbShape } from './invocation.ts';
import { GLOBAL_OPTIONS, type OptionSpec } from './options.ts';
import { NOTES, type Note, VARIABLES } from './verb-notes.ts';

/** A verb with the phrase that says what it is for. */
interface DescribedVerb extends VerbShape {
  readonly text: string;
}

/** Lines are no wider, where the screen is not narrower. */
const WIDEST = 100;
/** What stands on the left is not wider, or what is said of it begins on the next line. */
const WIDEST_LEFT = 40;

/** Help about everything, or about one verb, for a screen of so many columns. */
export function helpText(
  verbs: readonly DescribedVerb[],
  verb: DescribedVerb | undefined,
  style: Style,
  columns: number = WIDEST,
): string {
  const width = Math.min(WIDEST, columns);
  const sections = (verb === undefined ? general(verbs) : about(verb)).map(([title, rows]) =>
    rows.length === 0 ? title : section(title, rows, style, width),
  );
  return `${[opening(verb, style), ...sections].join('\n\n')}\n`;
}

/** A title with rows below it, or, without rows, a paragraph. */
type Section = readonly [title: string, rows: readonly Note[]];

function opening(verb: DescribedVerb | undefined, { bold }: Style): string {
  return verb === undefined
    ? `${bold('fleche')} runs tasks whose inputs changed, and answers for the others from its cache.`
    : `${bold(`fleche ${verb.name}`)}: ${verb.text}`;
}

function general(verbs: readonly DescribedVerb[]): readonly Section[] {
  const shown = verbs.filter(({ hidden }) => !hidden);
  return [
    ['Usage', [['fleche <verb> [arguments] [options]', '']]],
    ['Verbs', shown.map(({ name, args, text }) => [`${name} ${args}`.trim(), text])],
    ['Options', GLOBAL_OPTIONS.map(optionRow)],
    ['Environment', VARIABLES],
    ['Exit codes', EXIT_TEXTS],
    ['fleche help <verb> tells more, with examples; fleche explain <code> what an error means.', []],
  ];
}

function about(verb: DescribedVerb): readonly Section[] {
  const { examples = [], ends = [], variables = [] } = NOTES[verb.name] ?? {};
  const sections: readonly Section[] = [
    ['Usage', [[`fleche ${verb.name} ${verb.args}`.trim(), '']]],
    ['Actions', verb.actions ?? []],
    ['Examples', examples],
    ['Options', [...verb.options, ...GLOBAL_OPTIONS].map(optionRow)],
    ['Environment', VARIABLES.filter(([name]) => variables.includes(name))],
    [
      'Exit codes',
      ends.length === 0 ? [] : [['0', 'done'], ...ends, ['3, 4, 70, 129…', 'as with every verb: fleche --help']],
    ],
  ];
  return sections.filter(([, rows]) => rows.length > 0);
}

function optionRow({ name, short, value, optional, choices, text }: OptionSpec): Note {
  const shown = value === undefined ? '' : optional ? `[=${value}]` : ` ${value}`;
  const written = `${short === undefined ? '    ' : `-${short}, `}--${name}${shown}`;
  return [written, choices === undefined ? text : `${text}: ${choices.join(', ')}`];
}

function section(title: string, rows: readonly Note[], style: Style, width: number): string {
  const left = Math.min(WIDEST_LEFT, Math.max(...rows.map(([what]) => what.length)));
  const room = Math.max(20, width - left - 4);
  const lines = rows.flatMap(([what, text]) => {
    const [first = '', ...more] = wrapped(text, room);
    const isWide = what.length > left;
    const head = isWide ? [`  ${what}`, `${' '.repeat(left + 4)}${first}`] : [`  ${what.padEnd(left)}  ${first}`];
    return [...head, ...more.map((line) => `${' '.repeat(left + 4)}${line}`)]
      .map((line) => line.trimEnd())
      .filter(Boolean);
  });
  return [style.bold(title), ...lines].join('\n');
}

/** A text as lines of no more than `width` cells, as far as its words allow. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
