/** The policy of a principal that deploys: what `ccwb` calls, and what CloudFormation does with its permissions. */
import { CcwbError } from '../../protocol/errors.ts';
import type { Template } from '../aws/cloudformation-types.ts';
import { RESOURCE_ACTIONS, SERVICE_LINKED_ROLES } from './resource-actions.ts';

export type PolicyStatement = {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
};

export type PolicyDocument = {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
};

/** Longest managed policy in characters, white space not counted (IAM quotas). */
export const MAX_POLICY_CHARACTERS = 6_144;

const CLOUDFORMATION = [
  'ContinueUpdateRollback',
  'CreateChangeSet',
  'DeleteChangeSet',
  'DeleteStack',
  'DescribeChangeSet',
  'DescribeEvents',
  'DescribeStackEvents',
  'DescribeStacks',
  'DetectStackDrift',
  'ExecuteChangeSet',
  'GetTemplate',
  'ListStackResources',
];

/** `ccwb destroy --delete-data`. */
const EMPTY_BUCKETS = [
  's3:DeleteBucket',
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:ListBucketVersions',
];

/** Resources that a service's actions can be limited to, because their names begin with the deployment's. */
const RESOURCES: Readonly<Record<string, (partition: string) => readonly string[]>> = {
  iam: (partition) => [`arn:${partition}:iam::*:role/ccwb-*`, `arn:${partition}:iam::*:oidc-provider/*`],
  s3: (partition) => [`arn:${partition}:s3:::ccwb-*`],
};

/**
 * Returns the policy for deploying, changing and deleting these templates.
 *
 * @throws CcwbError ERR_INTERNAL for a type of resource whose actions are not listed.
 */
export function deployPolicy(templates: readonly Template[], partition: string): PolicyDocument {
  const types = new Set(
    templates.flatMap(({ Resources }) => Object.values(Resources).map(({ Type }) => Type)),
  );
  const byService = new Map<string, Set<string>>();
  for (const type of types) {
    const actions = RESOURCE_ACTIONS[type];
    if (actions === undefined) {
      throw new CcwbError('ERR_INTERNAL', `the permissions for ${type} are not listed`, 'report it');
    }
    for (const [service, names] of Object.entries(actions)) {
      const found = byService.get(service) ?? new Set();
      byService.set(service, found);
      for (const name of names) found.add(`${service}:${name}`);
    }
  }
  const stacks = [`arn:${partition}:cloudformation:*:*:stack/ccwb-*/*`];
  const statements: PolicyStatement[] = [
    allow(
      'Stacks',
      CLOUDFORMATION.map((name) => `cloudformation:${name}`),
      stacks,
    ),
    allow('Drift', ['cloudformation:DescribeStackDriftDetectionStatus'], ['*']),
  ];
  for (const [service, actions] of [...byService].sort(([a], [b]) => a.localeCompare(b))) {
    if (service === 's3') for (const action of EMPTY_BUCKETS) actions.add(action);
    const resources = RESOURCES[service]?.(partition) ?? ['*'];
    // S3 names a bucket and its objects apart.
    const objects = service === 's3' ? resources.map((resource) => `${resource}/*`) : [];
    statements.push(allow(sidOf(service), [...actions].sort(), [...resources, ...objects]));
  }
  const linked = [...types].flatMap((type) => SERVICE_LINKED_ROLES[type] ?? []).sort();
  if (linked.length > 0) {
    statements.push({
      ...allow(
        'ServiceLinkedRoles',
        ['iam:CreateServiceLinkedRole'],
        [`arn:${partition}:iam::*:role/aws-service-role/*`],
      ),
      Condition: { StringEquals: { 'iam:AWSServiceName': linked } },
    });
  }
  return { Version: '2012-10-17', Statement: statements };
}

function allow(Sid: string, Action: readonly string[], Resource: readonly string[]): PolicyStatement {
  return { Sid, Effect: 'Allow', Action, Resource };
}

/** Returns a statement id, which may hold letters and digits only. */
function sidOf(service: string): string {
  return service.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Returns the length that IAM counts. */
export function policyCharacters(policy: PolicyDocument): number {
  return JSON.stringify(policy).replace(/\s/g, '').length;
}
