/** Templates: parsing and validation, the differences between two, and the values of references. */
import { randomInt, randomUUID } from 'node:crypto';
import { AwsError } from '../aws/aws-service.ts';

export interface ParsedTemplate {
  readonly Resources: Readonly<Record<string, ParsedResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown; readonly Description?: string }>>;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
}

export interface ParsedResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

/** A resource that exists. */
export interface MadeResource {
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  /** The name that the template gives; undefined: CloudFormation made it up. */
  readonly name?: string | undefined;
  status: string;
}

export interface TemplateChange {
  readonly action: 'Add' | 'Modify' | 'Remove';
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string | undefined;
  readonly replacement: 'True' | 'False' | undefined;
  readonly properties: readonly string[];
}

const maxTemplateBytes = 51_200;

/** Properties that cannot change in place (CloudFormation's resource reference, "Update requires"). */
const replacing: Readonly<Record<string, readonly string[]>> = {
  'AWS::EC2::SecurityGroup': ['GroupDescription', 'GroupName', 'VpcId'],
  'AWS::EC2::Subnet': ['AvailabilityZone', 'CidrBlock', 'VpcId'],
  'AWS::ElasticLoadBalancingV2::Listener': ['LoadBalancerArn'],
  'AWS::ElasticLoadBalancingV2::LoadBalancer': ['Name', 'Scheme', 'Type'],
  'AWS::ElasticLoadBalancingV2::TargetGroup': [
    'Name',
    'Port',
    'Protocol',
    'ProtocolVersion',
    'TargetType',
    'VpcId',
  ],
  'AWS::IAM::OIDCProvider': ['Url'],
  'AWS::IAM::Role': ['RoleName', 'Path'],
  'AWS::S3::Bucket': ['BucketName'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
};

/** @throws {AwsError} ValidationError in CloudFormation's words */
export function parseTemplate(text: string): ParsedTemplate {
  if (Buffer.byteLength(text) > maxTemplateBytes) {
    throw invalid(
      `1 validation error detected: Value '${text.slice(0, 20)}…' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${maxTemplateBytes}`,
    );
  }
  let template: ParsedTemplate;
  try {
    template = JSON.parse(text) as ParsedTemplate;
  } catch {
    throw invalid('Template format error: JSON not well-formed.');
  }
  if (typeof template.Resources !== 'object' || Object.keys(template.Resources).length === 0) {
    throw invalid('Template format error: At least one Resources member must be defined.');
  }
  const known = new Set([...Object.keys(template.Resources), ...Object.keys(template.Parameters ?? {})]);
  const unresolved = [...referencesIn(template.Resources)].filter(
    (name) => !known.has(name) && !name.startsWith('AWS::'),
  );
  if (unresolved.length > 0) {
    throw invalid(
      `Template format error: Unresolved resource dependencies [${unresolved.join(', ')}] in the Resources block of the template`,
    );
  }
  return template;
}

/** Returns the parameters by name, defaults included. @throws {AwsError} for unknown and missing ones */
export function checkParameters(
  { Parameters = {} }: ParsedTemplate,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const unknown = Object.keys(given).filter((name) => !(name in Parameters));
  if (unknown.length > 0) throw invalid(`Parameters: [${unknown.join(', ')}] do not exist in the template`);
  const values: Record<string, string> = {};
  for (const [name, { Default }] of Object.entries(Parameters)) {
    const value = given[name] ?? (Default === undefined ? undefined : String(Default));
    if (value !== undefined) values[name] = value;
  }
  const missing = Object.keys(Parameters).filter((name) => !(name in values));
  if (missing.length > 0) throw invalid(`Parameters: [${missing.join(', ')}] must have values`);
  return values;
}

/** @throws {AwsError} InsufficientCapabilitiesException */
export function checkCapabilities({ Resources }: ParsedTemplate, given: readonly string[]): void {
  const iam = Object.values(Resources).filter(({ Type }) =>
    /^AWS::IAM::(Role|Policy|ManagedPolicy|User|Group|InstanceProfile|AccessKey)$/.test(Type),
  );
  if (iam.length === 0 || given.includes('CAPABILITY_NAMED_IAM')) return;
  const named = iam.some(
    ({ Properties = {} }) => 'RoleName' in Properties || 'ManagedPolicyName' in Properties,
  );
  const needed = named ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM';
  if (given.includes(needed)) return;
  throw new AwsError('InsufficientCapabilitiesException', `Requires capabilities : [${needed}]`);
}

/** Returns the changes that lead from one template to another. */
export function compare(
  old: ParsedTemplate | undefined,
  next: ParsedTemplate,
  made: ReadonlyMap<string, MadeResource>,
): TemplateChange[] {
  const before = old?.Resources ?? {};
  const change = (action: TemplateChange['action'], logicalId: string, type: string) => ({
    action,
    logicalId,
    type,
    physicalId: made.get(logicalId)?.physicalId,
    replacement: undefined,
    properties: [],
  });
  const added = Object.entries(next.Resources)
    .filter(([id]) => !(id in before))
    .map(([id, { Type }]) => change('Add', id, Type));
  const removed = Object.entries(before)
    .filter(([id]) => !(id in next.Resources))
    .map(([id, { Type }]) => change('Remove', id, Type));
  const modified = Object.entries(next.Resources).flatMap(([id, resource]): TemplateChange[] => {
    const was = before[id];
    if (was === undefined || same(was, resource)) return [];
    const properties = differing(was.Properties ?? {}, resource.Properties ?? {});
    const anew =
      was.Type !== resource.Type || properties.some((name) => replacing[resource.Type]?.includes(name));
    return [{ ...change('Modify', id, resource.Type), replacement: anew ? 'True' : 'False', properties }];
  });
  return [...removed, ...withDependents(modified, added, next, made), ...added];
}

/** Returns the physical id of a new resource. */
export function physicalId(stackName: string, logicalId: string, type: string, region: string): string {
  const suffix = Array.from({ length: 12 }, () => 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789'[randomInt(34)]).join(
    '',
  );
  if (type === 'AWS::Cognito::IdentityPool') return `${region}:${randomUUID()}`;
  return `${stackName}-${logicalId}-${suffix}`;
}

/** Resolves a value of a template, references included, against the existing resources. */
export function worthOf(
  value: unknown,
  made: ReadonlyMap<string, MadeResource>,
  parameters: Readonly<Record<string, string>>,
): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, unknown>;
  if (typeof ref === 'string') return made.get(ref)?.physicalId ?? parameters[ref] ?? ref;
  if (Array.isArray(attribute)) {
    const resource = made.get(String(attribute[0]));
    const isRole = resource?.type === 'AWS::IAM::Role' && attribute[1] === 'Arn';
    return isRole
      ? `arn:aws:iam::123456789012:role/${resource.physicalId}`
      : `${resource?.physicalId}.${attribute[1]}`;
  }
  if (Array.isArray(join) && Array.isArray(join[1])) {
    return join[1].map((item: unknown) => worthOf(item, made, parameters)).join(String(join[0]));
  }
  return JSON.stringify(value);
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message);
}

/** Returns the logical ids and parameters that a value refers to. */
export function referencesIn(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) referencesIn(item, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'Ref') found.add(String(inner));
      else if (key === 'Fn::GetAtt' && Array.isArray(inner)) found.add(String(inner[0]));
      else if (key === 'Fn::Sub') for (const name of namesInSub(inner)) found.add(name);
      else referencesIn(inner, found);
    }
  }
  return found;
}

/** Adds what refers to a replaced resource: it changes too, and is replaced where the property demands it. */
function withDependents(
  modified: readonly TemplateChange[],
  added: readonly TemplateChange[],
  { Resources }: ParsedTemplate,
  made: ReadonlyMap<string, MadeResource>,
): TemplateChange[] {
  const found = new Map(modified.map((change) => [change.logicalId, change]));
  const fresh = new Set(added.map(({ logicalId }) => logicalId));
  for (let grown = true; grown; ) {
    grown = false;
    for (const [logicalId, { Type: type, Properties = {} }] of Object.entries(Resources)) {
      const before = found.get(logicalId);
      if (fresh.has(logicalId) || before?.replacement === 'True') continue;
      const moved = Object.keys(Properties).filter((name) =>
        [...referencesIn(Properties[name])].some((id) => found.get(id)?.replacement === 'True'),
      );
      const properties = [...new Set([...(before?.properties ?? []), ...moved])];
      if (moved.length === 0 || properties.length === before?.properties.length) continue;
      const replacement = moved.some((name) => replacing[type]?.includes(name)) ? 'True' : 'False';
      const physicalId = made.get(logicalId)?.physicalId;
      found.set(logicalId, { action: 'Modify', logicalId, type, physicalId, replacement, properties });
      grown = true;
    }
  }
  // In the order of the template: CloudFormation goes by dependencies, and CDK writes them first.
  return Object.keys(Resources).flatMap((id) => found.get(id) ?? []);
}

function namesInSub(value: unknown): string[] {
  const text = String(Array.isArray(value) ? value[0] : value);
  return [...text.matchAll(/\$\{([\w:]+)(?:\.\w+)?\}/g)].map(([, name = '']) => name);
}

function differing(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): string[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => !same(a[name], b[name]));
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
