/** How each service wants to be told of things in the log of a job: groups that fold, and notes beside the log. Pure. */
import type { ProviderName } from './provider.ts';

export interface Note {
  readonly level: 'error' | 'warning';
  readonly title: string;
  readonly message: string;
  /** Relative to the repository; line from 1. */
  readonly at?: { readonly file: string; readonly line: number } | undefined;
}

export interface Markup {
  /** The line that begins a group which folds; undefined where there are no groups. */
  open(title: string, id: number): string | undefined;
  close(id: number): string | undefined;
  /** What tasks print, so that the service finds no commands in it; `secret` is unforeseeable text. */
  guarded(lines: readonly string[], secret: string): readonly string[];
  /** Lines of the log that are not what a task printed, but may have text of it in them, such as an error that it threw. */
  plain(text: string): string;
  /** The line of a note; undefined where there are none. */
  note(note: Note): string | undefined;
  /** How many notes of one level a job may have before the service drops them. */
  readonly most: number;
}

const NOTHING = (): undefined => undefined;
/** GitHub shows 10 errors and 10 warnings of a step. */
const GITHUB_NOTES = 10;

/** `now`: seconds since the epoch, which GitLab wants with every group. */
export function markupOf(provider: ProviderName, now: () => number): Markup {
  switch (provider) {
    case 'github':
      return {
        open: (title) => `::group::${githubText(title)}`,
        close: () => '::endgroup::',
        guarded: (lines, secret) => [`::stop-commands::${secret}`, ...lines, `::${secret}::`],
        plain: (text) => text.replace(/^(\s*):(?=:)/gm, '$1: ').replaceAll('##[', '# #['),
        note: githubNote,
        most: GITHUB_NOTES,
      };
    case 'gitlab':
      return {
        open: (title, id) => `\u001b[0Ksection_start:${now()}:fleche_${id}[collapsed=true]\r\u001b[0K${oneLine(title)}`,
        close: (id) => `\u001b[0Ksection_end:${now()}:fleche_${id}\r\u001b[0K`,
        guarded: same,
        plain: same,
        note: NOTHING,
        most: 0,
      };
    case 'buildkite':
      return {
        open: (title) => `--- ${oneLine(title)}`,
        close: NOTHING,
        guarded: unfolding,
        plain: same,
        note: NOTHING,
        most: 0,
      };
    case 'azure':
      return {
        open: (title) => `##[group]${oneLine(uncommanding(title))}`,
        close: () => '##[endgroup]',
        guarded: (lines) => lines.map(uncommanding),
        plain: uncommanding,
        note: azureNote,
        most: Number.POSITIVE_INFINITY,
      };
    case 'circleci':
    case 'generic':
    case 'local':
      return { open: NOTHING, close: NOTHING, guarded: same, plain: same, note: NOTHING, most: 0 };
  }
}

function same<T>(text: T): T {
  return text;
}

/** Azure has no way to stop looking for commands: it finds them anywhere in a line. */
function uncommanding(text: string): string {
  return text.replaceAll('##', '# #');
}

/** Buildkite folds the log at lines that begin so. */
function unfolding(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/^(?=(?:---|\+\+\+|~~~|\^\^\^) )/, ' '));
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}

function githubText(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function githubProperty(text: string): string {
  return githubText(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function githubNote({ level, title, message, at }: Note): string {
  const where = at === undefined ? '' : `file=${githubProperty(at.file)},line=${at.line},`;
  return `::${level} ${where}title=${githubProperty(title)}::${githubText(message)}`;
}

function azureNote({ level, title, message, at }: Note): string {
  const property = (text: string): string =>
    text
      .replaceAll('%', '%AZP25')
      .replaceAll('\r', '%0D')
      .replaceAll('\n', '%0A')
      .replaceAll(';', '%3B')
      .replaceAll(']', '%5D');
  const where = at === undefined ? '' : `sourcepath=${property(at.file)};linenumber=${at.line};`;
  const text = `${title}: ${message}`.replaceAll('%', '%AZP25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  return `##vso[task.logissue type=${level};${where}]${text}`;
}
