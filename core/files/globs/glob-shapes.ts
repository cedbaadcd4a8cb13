/** Globs of every kind as regular expressions, which picomatch makes; slower to make than `glob-steps.ts`. */
import picomatch from 'picomatch';
import type { GlobTests } from './glob-steps.ts';

/** Braces are expanded beforehand, negation is ordered, and a path has one form on every system. */
const OPTIONS: picomatch.PicomatchOptions = { dot: true, nobrace: true, posix: true, windows: false };

/** The tests of a glob in the syntax of picomatch. */
export function shapeTests(glob: string): GlobTests {
  return { leads: leadsTo(glob), test: NOT_THESE.test(glob) ? testOfSteps(glob) : testOfWhole(glob) };
}

/** A group of what must not be there. Before more steps a regular expression of it takes in more than the one step. */
const NOT_THESE = /(?<!\\)!\(/;

/** Regular expressions are made when they are first needed. */
function leadsTo(glob: string): GlobTests['leads'] {
  let steps: readonly RegExp[] | undefined;
  return (folder) => {
    steps ??= leadingShapes(glob);
    const taken = folder.split('/');
    return steps.every((step, at) => at >= taken.length || step.test(taken[at] ?? ''));
  };
}

function testOfWhole(glob: string): GlobTests['test'] {
  let shape: RegExp | undefined;
  return (path) => {
    shape ??= new RegExp(shapesOf(glob).join('|'), 's');
    return shape.test(path);
  };
}

/** Asks of the path and of every folder on the way to it whether the glob matches just that. */
function testOfSteps(glob: string): GlobTests['test'] {
  const below = glob.endsWith('/**');
  let shape: RegExp | undefined;
  return (path) => {
    shape ??= new RegExp(shapeOf(below ? glob.slice(0, -'/**'.length) : glob), 's');
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      if (shape.test(path.slice(0, end))) return true;
    }
    return !below && shape.test(path);
  };
}

/** What a glob matches, and what lies below that. `a/**` is what lies below `a`, without `a`. */
function shapesOf(glob: string): readonly string[] {
  if (glob === '**') return [shapeOf(glob)];
  return glob.endsWith('/**') ? [shapeOf(`${glob}/*`)] : [shapeOf(glob), shapeOf(`${glob}/**/*`)];
}

function shapeOf(glob: string): string {
  return picomatch.makeRe(glob, OPTIONS).source;
}

/** The steps that every path begins with that the glob matches. */
function leadingShapes(glob: string): readonly RegExp[] {
  const steps = glob.split('/');
  // From a step on that can stand for several, or that is part of a group across steps, anything may follow.
  const open = steps.findIndex((step) => step.includes('**') || /(?<!\\)[(|)]/.test(step));
  return (open < 0 ? steps : steps.slice(0, open)).map((step) => new RegExp(shapeOf(step), 's'));
}
