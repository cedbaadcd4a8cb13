/** The help, from the tables of verbs and options. Pure. */
import { EXIT_TEXTS } from './exit-code.ts';
import type { VerbShape } from './invocation.ts';
import { GLOBAL_OPTIONS, type OptionSpec } from './options.ts';
import type { Style } from './terminal/style.ts';

/** A verb with the phrase that says what it is for. */
interface DescribedVerb extends VerbShape {
  readonly text: string;
}

/** Help about everything, or about one verb. */
export function helpText(verbs: readonly DescribedVerb[], verb: DescribedVerb | undefined, style: Style): string {
  const usage = verb === undefined ? 'fleche <verb> [arguments] [options]' : `fleche ${verb.name} ${verb.args}`.trim();
  const sections =
    verb === undefined
      ? [
          `${style.bold('fleche')} runs tasks whose inputs changed, and answers for the others from its cache.`,
          section('Usage', [[usage, '']], style),
          section(
            'Verbs',
            verbs.map(({ name, args, text }) => [`${name} ${args}`.trim(), text]),
            style,
          ),
          section('Options', GLOBAL_OPTIONS.map(optionRow), style),
          section('Exit codes', EXIT_TEXTS, style),
          'fleche <verb> --help tells more.',
        ]
      : [
          `${style.bold(`fleche ${verb.name}`)}: ${verb.text}`,
          section('Usage', [[usage, '']], style),
          ...(verb.actions === undefined ? [] : [section('Actions', verb.actions, style)]),
          section('Options', [...verb.options, ...GLOBAL_OPTIONS].map(optionRow), style),
        ];
  return `${sections.join('\n\n')}\n`;
}

type Row = readonly [left: string, right: string];

function optionRow({ name, short, value, optional, choices, text }: OptionSpec): Row {
  const shown = value === undefined ? '' : optional ? `[=${value}]` : ` ${value}`;
  const written = `${short === undefined ? '    ' : `-${short}, `}--${name}${shown}`;
  return [written, choices === undefined ? text : `${text}: ${choices.join(', ')}`];
}

function section(title: string, rows: readonly Row[], style: Style): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
  return [style.bold(title), ...lines].join('\n');
}
