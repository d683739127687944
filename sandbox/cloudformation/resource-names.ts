/** Names that exist once in an account and region, and the early validation that looks for them. */
import type { FailedCheck } from './failed-check.ts';
import type { ChangeSetRecord, StackRecord, Stacks } from './records.ts';
import { type MadeResource, type ParsedTemplate, referencesIn, worthOf } from './templates.ts';

/** Properties that name a resource. */
const NAME_OF: Readonly<Record<string, string>> = {
  'AWS::Athena::WorkGroup': 'Name',
  'AWS::CloudTrail::Trail': 'TrailName',
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::ECS::Cluster': 'ClusterName',
  'AWS::ElasticLoadBalancingV2::LoadBalancer': 'Name',
  'AWS::ElasticLoadBalancingV2::TargetGroup': 'Name',
  'AWS::IAM::OIDCProvider': 'Url',
  'AWS::IAM::Role': 'RoleName',
  'AWS::KinesisFirehose::DeliveryStream': 'DeliveryStreamName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::S3::Bucket': 'BucketName',
};

/** Reason of a change set that early validation refused. */
export const EARLY_VALIDATION =
  'The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information.';

/** Returns the name that a template gives to a resource; undefined: CloudFormation makes one up. */
export function nameOf(
  { Resources }: ParsedTemplate,
  logicalId: string,
  made: ReadonlyMap<string, MadeResource>,
  parameters: Readonly<Record<string, string>>,
): string | undefined {
  const { Type = '', Properties = {} } = Resources[logicalId] ?? {};
  const value = Properties[NAME_OF[Type] ?? ''];
  return value === undefined ? undefined : worthOf(value, made, parameters);
}

/** Tells whether something in the account has the name, in this stack or outside of it. */
export function isTaken(stacks: Stacks, type: string, name: string): boolean {
  if (stacks.outside.has(`${type} ${name}`)) return true;
  return stacks.all.some(({ resources }) =>
    [...resources.values()].some((resource) => resource.type === type && resource.name === name),
  );
}

/** Returns the new resources of a change set whose names exist. */
export function checkNames(stacks: Stacks, stack: StackRecord, changeSet: ChangeSetRecord): FailedCheck[] {
  const { template, parameters, changes } = changeSet;
  const replaced = new Set(changes.flatMap((each) => (each.replacement === 'True' ? each.logicalId : [])));
  return changes.flatMap(({ action, logicalId, type, replacement }) => {
    if (action !== 'Add' && replacement !== 'True') return [];
    const named = template.Resources[logicalId]?.Properties?.[NAME_OF[type] ?? ''];
    // A name made from an attribute of something new is as new.
    if ([...referencesIn(named)].some((id) => replaced.has(id))) return [];
    const name = nameOf(template, logicalId, stack.resources, parameters);
    if (name === undefined || !isTaken(stacks, type, name)) return [];
    const reason = `Resource of type '${type}' with identifier '${name}' already exists.`;
    return [{ logicalId, type, reason }];
  });
}
