// Validates objects against the checked-in schemas; a key that a schema does not name is an error.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { nameOf } from './chart.mjs';

const read = (name) => JSON.parse(readFileSync(new URL(`./schemas/${name}`, import.meta.url), 'utf8'));

function describe(error) {
  const at = error.instancePath || '/';
  if (error.keyword === 'additionalProperties') return `${at}: unknown key ${error.params.additionalProperty}`;
  return `${at}: ${error.message}`;
}

function compileKinds(file) {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const { kinds, definitions } = read(file);
  const validators = Object.entries(kinds).map(([kind, reference]) => [
    kind,
    ajv.compile({ ...reference, definitions }),
  ]);
  return Object.fromEntries(validators);
}

/** @returns a function from an object to its findings, one line each; a kind without a schema is a finding. */
export function createObjectValidator() {
  const validators = { ...compileKinds('kubernetes.json'), ...compileKinds('custom-resources.json') };
  return (object) => {
    const key = `${object?.apiVersion}/${object?.kind}`;
    const validate = validators[key];
    if (!validate) return [`${nameOf(object)}: ${key} has no schema in scripts/deploy/schemas`];
    return validate(object) ? [] : validate.errors.map((error) => `${nameOf(object)} ${describe(error)}`);
  };
}

/** @returns a function from a parsed skaffold.yaml to its findings. */
export function createSkaffoldValidator() {
  const validate = new Ajv({ strict: false, validateFormats: false, allErrors: false }).compile(read('skaffold.json'));
  return (object) => (validate(object) ? [] : validate.errors.map((error) => `skaffold.yaml ${describe(error)}`));
}
