/** `fleche schema`: the JSON Schema of a configuration file, for editors that are not told where the package has it. */
import { FlecheError } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import { jsonSchema, SCHEMA_NAMES } from '../config/schema/json-schema.ts';

export async function schema({ invocation, machine }: VerbContext): Promise<number> {
  const wanted = invocation.args[0] ?? 'project';
  const name = SCHEMA_NAMES.find((name) => name === wanted);
  if (name === undefined) {
    throw new FlecheError('USAGE', `there is no schema "${wanted}"`, { hint: suggest(wanted, SCHEMA_NAMES) });
  }
  machine.stdout.write(`${JSON.stringify(jsonSchema(name), null, 2)}\n`);
  return EXIT.done;
}
