/** The commands of random repositories, for `sh`: each is run in the folder of its package. Pure. */
import type { RepositoryPlan, TemplatePlan } from './_repository-plan.ts';

/** What a template does with what it sees; that of a task `check` goes nowhere but to the screen. */
export function templateCommand(task: 'build' | 'check', plan: RepositoryPlan): string {
  const template = plan[task];
  const needs = task === 'build' ? ['^build'] : plan.check.needs;
  const lines = [`pk=\${PWD##*/}; echo "$pk#${task}" >>"$TEST_LOG"; : ${template.noise}; acc=; r=`, see(template)];
  if (needs.includes('^build') || template.inputs === 'below') lines.push(REACH, 'reach "$pk" own');
  lines.push('for f in src/*; do see "$f"; done');
  if (template.inputs === 'sources') lines.push('for f in ../base/*; do see "$f"; done');
  if (template.inputs === 'below') lines.push(eachBelow('for f in ../$d/src/*; do see "$f"; done'));
  if (needs.includes('^build')) lines.push(eachBelow('see ../$d/dist/all'));
  if (needs.includes('build')) lines.push('see dist/all');
  lines.push('echo "$acc"');
  if (task === 'build') lines.push('[ -d dist ] || mkdir dist', 'echo "$acc" >dist/all', 'echo "$pk" >dist/name');
  lines.push('case "$acc" in *q*) exit 7;; esac');
  return lines.join('\n');
}

/** The task of the root, which puts together what all packages built. */
export const SUM_COMMAND =
  'echo sum >>"$TEST_LOG"; acc=; for f in p*/dist/all; do [ -f "$f" ] && { read -r x <"$f"; acc="$acc$x/"; }; done; echo "$acc" >sum';

function see({ view }: TemplatePlan): string {
  const seen = {
    all: 'acc="$acc$1=$x,"',
    first: 'acc="$acc$c"',
    names: 'acc="$acc$1,"',
    nothing: ':',
  }[view];
  return `see() { [ -f "$1" ] || return 0; x=; read -r x <"$1"; c="\${x%"\${x#?}"}"; ${seen}; }`;
}

/** Follows the names in manifests, in the own one also those for development, which are the last. */
const REACH = `reach() { while read -r k v; do case "$k" in
'"devDependencies":') [ -n "$2" ] || break;;
'"p'[0-9]'":') d=\${k#?}; d=\${d%??}; case " $r " in *" $d "*) ;; *) if [ -f "../$d/package.json" ]; then r="$r $d"; reach "$d"; fi;; esac;;
esac; done <"../$1/package.json"; }`;

function eachBelow(act: string): string {
  return `for d in p0 p1 p2; do case " $r " in *" $d "*) ${act};; esac; done`;
}
