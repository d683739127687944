/** Formats values of a template for people. */
import { isObject } from '../../../protocol/json.ts';
import type { DeploymentTarget } from '../../aws/cloudformation-types.ts';

/** One value or several. */
export function describeValues(value: unknown, separator = ', '): string {
  return Array.isArray(value) ? value.map(describeValue).join(separator) : describeValue(value);
}

/** Returns the text of a template's value; references are shown by name. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!isObject(value)) return value === undefined ? '?' : JSON.stringify(value);
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Sub': template, 'Fn::Join': join } = value;
  if (typeof ref === 'string') return ref;
  // A reference to an ARN is shown by the name of its resource alone.
  if (Array.isArray(attribute)) return attribute.join('.').replace(/\.Arn$/, '');
  if (typeof attribute === 'string') return attribute.replace(/\.Arn$/, '');
  if (typeof template === 'string') return template;
  if (Array.isArray(join) && Array.isArray(join[1])) return join[1].map(describeValue).join(String(join[0]));
  return JSON.stringify(value);
}

/** Returns the value with its pseudo parameters filled in. */
export function resolvePseudoParameters(value: unknown, target: DeploymentTarget): unknown {
  if (Array.isArray(value)) return value.map((item) => resolvePseudoParameters(item, target));
  if (!isObject(value)) return value;
  switch (value.Ref) {
    case 'AWS::Partition':
      return target.partition;
    case 'AWS::AccountId':
      return target.account;
    case 'AWS::Region':
      return target.region;
    default:
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key, resolvePseudoParameters(inner, target)]),
      );
  }
}

export function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}
