/** What the help tells of verbs beside their options. Loaded when help is asked for. */

export type Note = readonly [what: string, text: string];

interface VerbNotes {
  readonly examples: readonly Note[];
  /** How it can end beside 0, 3 and being ended: codes, with what they mean here. */
  readonly ends?: readonly Note[];
  /** Variables that matter to it, by name. */
  readonly variables?: readonly string[];
}

/** Variables of the environment that fleche itself looks at. */
export const VARIABLES: readonly Note[] = [
  ['FLECHE_CACHE', 'off: every task runs and every function is called, and nothing is kept'],
  ['FLECHE_SHARED_MODE', 'off, read or write: what may be done with shared caches at most'],
  ['NO_COLOR, FORCE_COLOR', 'no colours; colours where no terminal is. --color goes before both'],
  ['CI, TERM=dumb', 'lines are written and never drawn over'],
  ['XDG_CONFIG_HOME', 'where fleche/cache.toml is looked for, the caches of the user; ~/.config by default'],
  ['XDG_CACHE_HOME', 'where compiled code of fleche itself is kept; ~/.cache by default'],
];

const FAILED: Note = ['1', 'a task failed'];
const FROZEN: Note = ['2', 'with --frozen something would have run'];
const UNKNOWN: Note = ['1', 'what was asked for is not there'];
const CACHING = ['FLECHE_CACHE', 'FLECHE_SHARED_MODE'];
const SCREEN = ['NO_COLOR, FORCE_COLOR', 'CI, TERM=dumb'];

/** By the name of the verb. */
export const NOTES: Readonly<Record<string, VerbNotes>> = {
  run: {
    examples: [
      ['fleche run', 'the tasks of [default]'],
      ['fleche run build test', 'these tasks, in every package that has them'],
      ['fleche run app#build', 'the task of one package'],
      ['fleche run test -F ./apps/* --affected', 'of the packages in apps, what changed since the main branch'],
      ['fleche run --frozen', 'fails if anything would have to run'],
      ['fleche run build --force --log stream', 'once more, and show what is printed as it comes'],
    ],
    ends: [FAILED, FROZEN],
    variables: [...CACHING, ...SCREEN],
  },
  watch: {
    examples: [
      ['fleche watch build', 'and again after every change'],
      ['fleche watch build --exec "node dist/app.js"', 'with a command after every good round'],
    ],
    ends: [['1', 'a task failed in the last round']],
    variables: [...CACHING, ...SCREEN],
  },
  plan: {
    examples: [
      ['fleche plan', 'what would run, and why'],
      ['fleche plan --json', 'the same for programs'],
    ],
    ends: [['1', 'a task cannot be asked for'], FROZEN],
    variables: CACHING,
  },
  why: {
    examples: [
      ['fleche why build', 'what changed since it last ran'],
      ['fleche why app#test', 'of the task of one package'],
    ],
  },
  graph: {
    examples: [
      ['fleche graph', 'as a tree'],
      ['fleche graph build --format dot | dot -Tsvg -o graph.svg', 'as a picture, by Graphviz'],
    ],
  },
  ci: {
    examples: [
      ['fleche ci', 'what the change can matter to'],
      ['fleche ci test --shard 2/5 --timings times.json', 'one of five parts, of about the same length'],
      ['fleche ci --verify 1% --junit report.xml', 'with a spot check, and a report'],
    ],
    ends: [['1', 'a task failed, or an answer was not what it makes now']],
    variables: CACHING,
  },
  clean: {
    examples: [
      ['fleche clean --dry-run', 'what would be removed'],
      ['fleche clean build', 'what this task wrote'],
      ['fleche clean --cache', 'everything that was written, and all answers'],
    ],
  },
  show: {
    examples: [
      ['fleche show build', 'the newest answer: when, how long, what it printed and wrote'],
      ["fleche show 'pages[docs/a.md]'", 'that of one item'],
    ],
    ends: [UNKNOWN],
  },
  cat: {
    examples: [
      ['fleche cat 3f2a91c0', 'a stored value, by the beginning of its digest'],
      ['fleche cat 3f2a91c0 -o app.js', 'its bytes in a file'],
    ],
    ends: [UNKNOWN],
  },
  query: {
    examples: [
      ['fleche query', 'the last calls'],
      ['fleche query build --failed --after "2h ago"', 'failures of a task'],
      ['fleche query price --arg net=100', 'calls of a function with this argument'],
    ],
  },
  lineage: {
    examples: [
      ['fleche lineage dist/app.js', 'what a file was made of'],
      ['fleche lineage src/a.ts --forward', 'what was made of it'],
    ],
    ends: [UNKNOWN],
  },
  invalidate: {
    examples: [
      ['fleche invalidate codegen', 'forget its answers, and all that were made of them'],
      ['fleche invalidate data.csv --dry-run', 'what was made of a file'],
    ],
    ends: [UNKNOWN],
  },
  stats: { examples: [['fleche stats', 'hits, time saved, size']] },
  gc: {
    examples: [
      ['fleche gc', 'what no answer needs'],
      ['fleche gc --older-than 30d --max-size 5GB', 'old answers too'],
    ],
  },
  init: {
    examples: [
      ['fleche init', 'guesses by the names of scripts'],
      ['fleche init --from turbo', 'takes over turbo.json'],
    ],
  },
  schema: { examples: [['fleche schema > fleche.schema.json', 'for editors and programs']] },
  cache: {
    examples: [
      ['fleche cache pack .fleche-pack', 'before a CI job ends'],
      ['fleche cache unpack .fleche-pack', 'when the next begins'],
      ['fleche cache pull', 'before a journey'],
    ],
    ends: [['1', 'something is damaged, or could not be sent']],
    variables: ['FLECHE_SHARED_MODE'],
  },
  doctor: { examples: [['fleche doctor', 'why is nothing kept?']], ends: [['1', 'something is wrong']] },
  explain: { examples: [['fleche explain CONFIG_OVERLAP', 'what this code means']] },
  completion: {
    examples: [
      ['source <(fleche completion bash)', 'in ~/.bashrc'],
      ['source <(fleche completion zsh)', 'in ~/.zshrc, after compinit'],
      ['fleche completion fish > ~/.config/fish/completions/fleche.fish', 'once'],
    ],
  },
};
