import { readFileSync } from 'node:fs';
import type { AccessGroups, InfraProfile, Monitoring, SessionTag } from '../../infra/profile/profile.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import { formatValue } from '../../protocol/profile-reader.ts';

/** Settings of the stacks beside those of config.json: the fields of `ccwb deploy --infra FILE`. */
export type InfraSettings = {
  readonly bedrock?: Partial<InfraProfile['bedrock']>;
  readonly jwksUri?: string;
  readonly providerRegistered?: boolean;
  /** Absent: as `providerRegistered`. */
  readonly requireClientId?: boolean;
  readonly sessionTags?: readonly SessionTag[];
  readonly accessGroups?: AccessGroups;
  readonly audit?: { readonly retentionDays?: number };
  readonly monitoring?: MonitoringSettings;
};

type WithDefault = 'internal' | 'environment' | 'retentionDays';
export type MonitoringSettings = Omit<Monitoring, WithDefault> & Partial<Pick<Monitoring, WithDefault>>;

/** Values of a kind, texts to choose from, alternatives by `type`, or fields, of which those with `?` may be absent. */
type Shape = 'text' | 'number' | 'boolean' | 'texts' | readonly string[] | Alternatives | FieldShapes;
interface Alternatives {
  readonly oneOf: Readonly<Record<string, FieldShapes>>;
}
interface FieldShapes {
  readonly [name: string]: Shape;
}

const SHAPE: FieldShapes = {
  'bedrock?': {
    'regions?': 'texts',
    'geographies?': 'texts',
    'globalInference?': 'boolean',
    'models?': 'texts',
    'guardrail?': { id: 'text', version: 'text' },
    'mantle?': 'boolean',
  },
  'jwksUri?': 'text',
  'providerRegistered?': 'boolean',
  'requireClientId?': 'boolean',
  'sessionTags?': 'texts',
  'accessGroups?': { claim: 'text', groups: 'texts', 'match?': ['contains', 'equals'] },
  'audit?': { 'retentionDays?': 'number' },
  'monitoring?': {
    network: {
      oneOf: {
        new: { type: ['new'], tasks: ['private', 'public'] },
        existing: {
          type: ['existing'],
          vpcId: 'text',
          taskSubnetIds: 'texts',
          loadBalancerSubnetIds: 'texts',
        },
      },
    },
    'internal?': 'boolean',
    'domain?': { name: 'text', 'hostedZoneId?': 'text', 'certificateArn?': 'text' },
    'environment?': 'text',
    'retentionDays?': 'number',
    'alarms?': {
      'email?': 'text',
      tokensPerHour: 'number',
      dailyCostUsd: 'number',
      bedrockErrorsPerHour: 'number',
    },
    'analytics?': { glacierAfterDays: 'number', resultsDays: 'number' },
  },
};

/** Every field, as the documentation lists them: those of a group with its name before them. */
export const SETTINGS: readonly string[] = Object.entries(SHAPE).flatMap(([key, shape]) => {
  const name = key.replace('?', '');
  if (typeof shape === 'string' || isChoice(shape) || isAlternatives(shape)) return [name];
  return Object.keys(shape).map((inner) => `${name}.${inner.replace('?', '')}`);
});

/**
 * Reads and checks the shape of a file of settings. Whether AWS takes the values is for `findProfileProblem`.
 *
 * @throws CcwbError ERR_CONFIG_MISSING when it does not exist, ERR_CONFIG_INVALID with the field, the value and
 *   what is allowed.
 */
export function readInfraFile(path: string): InfraSettings {
  return checkInfraSettings(parse(path), path, '');
}

/**
 * Checks the shape of settings: a whole file, or its field `prefix`.
 *
 * @throws CcwbError ERR_CONFIG_INVALID, also for an unknown field: a misspelt restriction would otherwise restrict
 *   nothing.
 */
export function checkInfraSettings(value: unknown, path: string, prefix: string): InfraSettings {
  assertInfraSettings(value, path, prefix);
  return value;
}

function assertInfraSettings(value: unknown, path: string, prefix: string): asserts value is InfraSettings {
  const problem = findProblem(value, SHAPE, prefix);
  if (!problem) return;
  const [field, received, allowed] = problem;
  throw infraInvalid(path, field, received, allowed);
}

export function infraInvalid(path: string, field: string, value: unknown, allowed: string): CcwbError {
  const what = field === '' ? path : `${path}: ${field}`;
  const received = value === undefined ? 'is missing' : `is ${formatValue(value)}`;
  const fix = `correct ${field === '' ? 'it' : field} in ${path} (docs/infrastructure.md lists the fields)`;
  return new CcwbError('ERR_CONFIG_INVALID', `${what} ${received}; allowed: ${allowed}`, fix);
}

function parse(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CcwbError(
      'ERR_CONFIG_MISSING',
      `${path} cannot be read (${code})`,
      'pass --infra the path of a file of settings (docs/infrastructure.md has examples)',
      { cause },
    );
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new CcwbError('ERR_CONFIG_INVALID', `${path} is not valid JSON`, `correct ${path}`);
  }
}

type ShapeProblem = readonly [field: string, value: unknown, allowed: string];

const KINDS = {
  text: ['a text', (value: unknown) => typeof value === 'string' && value !== ''],
  number: ['a number', (value: unknown) => typeof value === 'number'],
  boolean: ['true or false', (value: unknown) => typeof value === 'boolean'],
  texts: [
    'a list of texts',
    (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  ],
} as const;

function findProblem(value: unknown, shape: Shape, field: string): ShapeProblem | undefined {
  if (typeof shape === 'string') {
    const [allowed, holds] = KINDS[shape];
    return holds(value) ? undefined : [field, value, allowed];
  }
  if (isChoice(shape)) {
    return shape.some((choice) => choice === value) ? undefined : [field, value, shape.join(' or ')];
  }
  if (!isObject(value)) return [field, value, 'an object'];
  if (isAlternatives(shape)) {
    const { type } = value;
    const fields =
      typeof type === 'string' && Object.hasOwn(shape.oneOf, type) ? shape.oneOf[type] : undefined;
    if (!fields) return [`${field}.type`, type, Object.keys(shape.oneOf).join(' or ')];
    return findProblem(value, fields, field);
  }
  return findFieldProblem(value, shape, field);
}

function findFieldProblem(value: object, fields: FieldShapes, field: string): ShapeProblem | undefined {
  const given = new Map<string, unknown>(Object.entries(value));
  const path = (name: string): string => (field === '' ? name : `${field}.${name}`);
  for (const [key, shape] of Object.entries(fields)) {
    const name = key.replace('?', '');
    const inner = given.get(name);
    given.delete(name);
    if (inner === undefined && key !== name) continue;
    const problem = findProblem(inner, shape, path(name));
    if (problem) return problem;
  }
  const [unknown] = given.keys();
  if (unknown === undefined) return undefined;
  const names = Object.keys(fields).map((key) => key.replace('?', ''));
  return [path(unknown), given.get(unknown), `nothing of that name; there are ${names.join(', ')}`];
}

function isChoice(shape: Shape): shape is readonly string[] {
  return Array.isArray(shape);
}

function isAlternatives(shape: FieldShapes | Alternatives): shape is Alternatives {
  return 'oneOf' in shape;
}
