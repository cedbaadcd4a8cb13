/** The commands of random pipelines, for `sh`: hardly more than what is built into it. Pure. */
import {
  baseOf,
  farOf,
  farPathsOf,
  folderOf,
  headerOf,
  literalsOf,
  nameOf,
  needsOf,
  reportOf,
  type TaskPlan,
} from './_task-plan.ts';

export function commandOf(plan: TaskPlan, index: number, plans: readonly TaskPlan[]): string {
  const name = nameOf(index);
  const base = baseOf(plan);
  const path = `${base}/${name}`;
  const seen = {
    all: 'acc="$acc$1=$x,"',
    first: 'acc="$acc$c"',
    names: 'acc="$acc$1,"',
    modes: 'acc="$acc$1"; [ -x "$1" ] && acc="$acc*"; acc="$acc,"',
    nothing: ':',
  }[plan.view];
  const filed = `if [ -n "$c" ]; then case "$chars" in *"$c"*) ;; *) : >"${path}/$c"; chars="$chars$c";; esac; echo "$1" >>"${path}/$c"; fi`;
  const lines = [
    `echo ${name} >>"$TEST_LOG"; : ${plan.noise}; acc=; chars=`,
    `see() { [ -f "$1" ] || return 0; x=; read -r x <"$1"; c="\${x%"\${x#?}"}"; case "$c" in [a-z]) ;; *) c=;; esac; ${seen}; ${plan.form === 'folder' ? filed : ':'}; ${plan.tells === 'nothing' ? ':' : 'if [ -n "$c" ]; then include "$c"; fi'}; }`,
  ];
  if (plan.tells !== 'nothing') lines.push(...includes(plan.tells));
  if (plan.form !== 'none') {
    const folder = plan.form === 'folder' ? path : base;
    lines.push(`[ -d ${folder} ] || mkdir -p ${folder}`);
  }
  for (const { kind, path } of plan.sources) {
    lines.push(kind === 'file' ? `see '${path}'` : `for f in '${path}'/*; do see "$f"; done`);
  }
  for (const need of needsOf(plan, index)) {
    const other = plans[need];
    if (other === undefined) continue;
    const folder = folderOf(other, need);
    if (folder !== undefined) lines.push(`for f in ${folder}/*; do see "$f"; done`);
    for (const literal of literalsOf(other, need)) lines.push(`see ${literal}`);
  }
  if (plan.tells !== 'nothing') lines.push(...tells(plan.tells, index, plans));
  if (plan.env) lines.push(`acc="$acc/$LEVEL"`);
  lines.push('echo "$acc"');
  if (plan.pause > 0) lines.push(`sleep ${plan.pause / 1000}`);
  switch (plan.form) {
    case 'one':
      lines.push(`echo "$acc" >${path}`);
      break;
    case 'two':
      lines.push(`echo "$acc" >${path}.1`, `echo "\${#acc}" >${path}.2`);
      break;
    case 'link':
      lines.push(`echo "$acc" >${path}`, `ln -sf ${name} ${path}.link`);
      break;
    case 'program':
      lines.push(`echo "$acc" >${path}`, `case "$acc" in *x*) chmod +x ${path};; esac`);
      break;
    case 'folder':
      lines.push(`echo "$acc" >${path}/all`);
      break;
    case 'none':
      break;
  }
  lines.push('case "$acc" in *q*) exit 7;; esac');
  return lines.join('\n');
}

export type Telling = Exclude<TaskPlan['tells'], 'nothing'>;

/** Goes from header to header: `include` takes a letter. */
export function includes(tells: Telling): readonly string[] {
  const header = headerOf('$1');
  const absent = tells === 'list' ? `told="$told ?${header}"` : 'x=q';
  return [
    'told=; included=',
    `include() { case "$included" in *"$1"*) return 0;; esac; included="$included$1"; x=`,
    `if [ -f "${header}" ]; then read -r x <"${header}"; told="$told ${header}"; else ${absent}; fi; acc="$acc<$x>"`,
    `c="\${x%"\${x#?}"}"; case "$c" in [a-z]) include "$c";; esac; }`,
  ];
}

/** Looks at what is far away, and tells everything. */
function tells(tells: Telling, index: number, plans: readonly TaskPlan[]): readonly string[] {
  const lines = ['far() { x=; read -r x <"$1"; told="$told $1"; acc="$acc($x)"; }'];
  for (const far of farOf(index, plans)) {
    const plan = plans[far];
    if (plan !== undefined) lines.push(...farPathsOf(plan, far).map((path) => `far ${path}`));
  }
  lines.push('[ -d told ] || mkdir -p told', reporting(tells, reportOf(index)));
  return lines;
}

/** Writes down what was told. */
export function reporting(tells: Telling, report: string): string {
  return `set -f; ${tells === 'list' ? `printf '%s\\n' $told` : 'echo "out:$told"'} >${report}`;
}
