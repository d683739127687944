import { type StackId, stackName } from '../../infra/outputs.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { Capability, Template } from '../aws/cloudformation-types.ts';

/** Longest template that goes with a request, in bytes (CloudFormation quotas); a longer one would need a bucket. */
export const MAX_TEMPLATE_BYTES = 51_200;

/** The source of the value of a template's parameter. */
export type ParameterSource =
  | { readonly value: string }
  /** An output of a stack that is deployed earlier. */
  | { readonly stack: StackId; readonly output: string };

/** The desired state of one stack. */
export type StackPlan = {
  readonly id: StackId;
  /** Its name in CloudFormation. */
  readonly name: string;
  readonly template: Template;
  readonly parameters: Readonly<Record<string, ParameterSource>>;
};

/** A plan for a template that was synthesised for a deployment. */
export function planStack(
  id: StackId,
  deployment: string,
  template: Record<string, unknown>,
  parameters: Readonly<Record<string, ParameterSource>> = {},
): StackPlan {
  return { id, name: stackName(deployment, id), template: template as unknown as Template, parameters };
}

/**
 * Returns the template as compact JSON for the request.
 *
 * @throws CcwbError ERR_TEMPLATE_INVALID when it is longer than CloudFormation accepts.
 */
export function templateBody({ name, template }: StackPlan): string {
  const text = JSON.stringify(template);
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_TEMPLATE_BYTES) return text;
  throw new CcwbError(
    'ERR_TEMPLATE_INVALID',
    `the template of ${name} has ${bytes} bytes; CloudFormation takes at most ${MAX_TEMPLATE_BYTES} with a request`,
    'shorten the lists in your configuration (regions, models, rules); if they are short, report it',
  );
}

/** Returns the capabilities with which a template with roles and policies must be acknowledged. */
export function capabilitiesOf({ Resources }: Template): Capability[] {
  const iam = Object.values(Resources).filter(({ Type }) => Type.startsWith('AWS::IAM::'));
  const named = iam.some(({ Properties = {} }) =>
    ['RoleName', 'ManagedPolicyName', 'UserName', 'GroupName'].some((name) => name in Properties),
  );
  if (named) return ['CAPABILITY_NAMED_IAM'];
  return iam.length > 0 ? ['CAPABILITY_IAM'] : [];
}

/** Outputs of the existing stacks of a deployment. */
export type KnownOutputs = ReadonlyMap<StackId, Readonly<Record<string, string>>>;

/** Returns the values of the parameters, or the first parameter whose source stack is not deployed. */
export function resolveParameters(
  { parameters }: StackPlan,
  known: KnownOutputs,
):
  | { readonly values: Readonly<Record<string, string>> }
  | { readonly missing: string; readonly stack: StackId } {
  const values: Record<string, string> = {};
  for (const [name, source] of Object.entries(parameters)) {
    if ('value' in source) values[name] = source.value;
    else {
      const value = known.get(source.stack)?.[source.output];
      if (value === undefined) return { missing: source.output, stack: source.stack };
      values[name] = value;
    }
  }
  return { values };
}
