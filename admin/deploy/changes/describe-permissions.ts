/** Permissions in sentences: those that a change of a template adds and removes. */
import { isObject } from '../../../protocol/json.ts';
import type { DeploymentTarget, Template, TemplateResource } from '../../aws/cloudformation-types.ts';
import { listWords, paragraph } from '../../terminal/text.ts';
import { describeValue, describeValues, isTrue, resolvePseudoParameters } from './template-values.ts';

/** Condition operators of IAM as they read in a sentence; others are shown as they are. */
const OPERATORS: Readonly<Record<string, string>> = {
  StringEquals: 'is',
  StringEqualsIgnoreCase: 'is',
  StringNotEquals: 'is not',
  StringLike: 'is like',
  StringNotLike: 'is not like',
  ArnEquals: 'is',
  ArnLike: 'is like',
  ArnNotEquals: 'is not',
  ArnNotLike: 'is not like',
  Bool: 'is',
};

/** Separates a permission from its condition. */
const CONDITION = ' where ';

/** Match types of role mapping rules of an identity pool, as they read in a sentence. */
const MATCHES: Readonly<Record<string, string>> = {
  Equals: 'is',
  NotEqual: 'is not',
  Contains: 'contains',
  StartsWith: 'starts with',
};

type Statement = Readonly<Record<string, unknown>>;

/**
 * Returns a line for each changed permission: `+` added, `-` removed, `~` granted under other conditions. Empty
 * when nothing changes.
 */
export function permissionLines(
  { old, next, target }: { old: Template | undefined; next: Template; target: DeploymentTarget },
  columns: number | undefined,
): string {
  const before = grantsIn(old, target);
  const after = grantsIn(next, target);
  const added = [...after].filter((sentence) => !before.has(sentence));
  const removed = [...before].filter((sentence) => !after.has(sentence));
  const lines: string[] = [];
  for (const sentence of removed) {
    const [what = '', until] = splitCondition(sentence);
    const again = added.findIndex((other) => splitCondition(other)[0] === what);
    if (again === -1) lines.push(paragraph(sentence, columns, '  - '));
    else {
      const [, now] = splitCondition(added.splice(again, 1)[0] ?? '');
      lines.push(paragraph(what, columns, '  ~ '));
      lines.push(paragraph(`until now ${until ?? 'without a condition'}`, columns, '      - '));
      lines.push(paragraph(`from now on ${now ?? 'without a condition'}`, columns, '      + '));
    }
  }
  return [...lines, ...added.map((sentence) => paragraph(sentence, columns, '  + '))].join('');
}

/** Splits a sentence into the permission and its condition (`where …`), if it has one. */
function splitCondition(sentence: string): [what: string, condition: string | undefined] {
  const index = sentence.indexOf(CONDITION);
  return index === -1 ? [sentence, undefined] : [sentence.slice(0, index), sentence.slice(index + 1)];
}

/** Returns a sentence for each permission that a template grants. */
export function grantsIn(template: Template | undefined, target: DeploymentTarget): Set<string> {
  const entries = Object.entries(
    resolvePseudoParameters(template?.Resources ?? {}, target) as Template['Resources'],
  );
  return new Set(entries.flatMap(([logicalId, resource]) => grantsOf(logicalId, resource)));
}

function grantsOf(logicalId: string, { Type, Properties = {} }: TemplateResource): string[] {
  switch (Type) {
    case 'AWS::IAM::OIDCProvider':
      return [
        `tokens of ${describeValue(Properties.Url)} for client ${describeValues(Properties.ClientIdList)} are accepted by IAM (${logicalId})`,
      ];
    case 'AWS::Cognito::IdentityPool':
      return isTrue(Properties.AllowUnauthenticatedIdentities)
        ? [`ANYBODY, also without a sign-in, gets credentials from ${logicalId}`]
        : [];
    case 'AWS::Cognito::IdentityPoolRoleAttachment':
      return roleAttachment(Properties);
    case 'AWS::Lambda::Permission':
      return [
        `${describeValue(Properties.Principal)} may ${describeValue(Properties.Action)} on ${describeValue(Properties.FunctionName)}`,
      ];
    default:
      return policiesOf(logicalId, Type, Properties);
  }
}

function roleAttachment({ Roles, RoleMappings }: Statement): string[] {
  const roles = isObject(Roles) ? Object.entries(Roles) : [];
  const mappings = isObject(RoleMappings) ? Object.values(RoleMappings).filter(isObject) : [];
  return [
    ...roles.map(([who, role]) => `${who} users of the identity pool get ${describeValue(role)}`),
    ...mappings.flatMap(mappingWords),
  ];
}

/** Describes the rules that choose a role by a claim of the ID token, and the role of all other users. */
function mappingWords(mapping: Statement): string[] {
  const { RulesConfiguration: configuration, AmbiguousRoleResolution: otherwise } = mapping;
  const rules = isObject(configuration) && Array.isArray(configuration.Rules) ? configuration.Rules : [];
  const sentences = rules.filter(isObject).map(({ Claim, MatchType, Value, RoleARN }) => {
    const match = MATCHES[String(MatchType)] ?? describeValue(MatchType);
    return `whoever has a claim ${describeValue(Claim)} that ${match} ${describeValue(Value)} gets ${describeValue(RoleARN)}`;
  });
  const rest = otherwise === 'Deny' ? 'gets no role' : 'gets the role of authenticated users';
  return [...sentences, `whoever no rule on claims fits ${rest}`];
}

/** Returns the statements of roles, policies and policies of resources. */
function policiesOf(logicalId: string, type: string, properties: Statement): string[] {
  const subject = type === 'AWS::IAM::Role' ? logicalId : policySubject(logicalId, properties);
  const inline = Array.isArray(properties.Policies) ? properties.Policies : [];
  const documents = [
    properties.PolicyDocument,
    properties.KeyPolicy,
    properties.ResourcePolicy,
    ...inline.map((policy: unknown) => (isObject(policy) ? policy.PolicyDocument : undefined)),
  ];
  const managed = Array.isArray(properties.ManagedPolicyArns) ? properties.ManagedPolicyArns : [];
  return [
    ...statementsIn(properties.AssumeRolePolicyDocument).map((statement) => trustWords(logicalId, statement)),
    ...managed.map((arn: unknown) => `${subject} may all that ${describeValue(arn)} allows`),
    ...documents.flatMap(statementsIn).map((statement) => statementWords(subject, logicalId, statement)),
  ];
}

/** Returns the roles that a policy is attached to, or the resource that it belongs to. */
function policySubject(logicalId: string, properties: Statement): string {
  for (const field of ['Roles', 'Users', 'Groups']) {
    if (Array.isArray(properties[field])) return describeValues(properties[field]);
  }
  return logicalId;
}

function trustWords(role: string, statement: Statement): string {
  const who = principalWords(statement.Principal);
  const verb = statement.Effect === 'Deny' ? 'may NOT take' : 'may take';
  return `${who} ${verb} the role ${role} (${describeValues(statement.Action)})${conditionWords(statement.Condition)}`;
}

function statementWords(subject: string, logicalId: string, statement: Statement): string {
  const principal = statement.Principal ?? statement.NotPrincipal;
  const who = principal === undefined ? subject : principalWords(principal);
  const whoever = statement.NotPrincipal === undefined ? who : `everybody but ${who}`;
  const verb = statement.Effect === 'Deny' ? 'may NOT' : 'may';
  const actions =
    statement.NotAction === undefined
      ? describeValues(statement.Action)
      : `everything but ${describeValues(statement.NotAction)}`;
  const resources =
    statement.NotResource === undefined
      ? describeValues(statement.Resource ?? logicalId)
      : `everything but ${describeValues(statement.NotResource)}`;
  return `${whoever} ${verb} ${actions} on ${resources}${conditionWords(statement.Condition)}`;
}

function principalWords(principal: unknown): string {
  if (principal === '*') return 'ANYBODY';
  if (!isObject(principal)) return describeValue(principal);
  return Object.values(principal)
    .map((value) => (value === '*' ? 'ANYBODY' : describeValues(value)))
    .join(', ');
}

function conditionWords(condition: unknown): string {
  if (!isObject(condition)) return '';
  const parts = Object.entries(condition).flatMap(([operator, keys]) =>
    Object.entries(isObject(keys) ? keys : {}).map(([key, values]) => {
      const [, set, bare = operator] = /^(ForAnyValue|ForAllValues):(.+)$/.exec(operator) ?? [];
      const verb = OPERATORS[bare] ?? bare;
      if (set === 'ForAnyValue') return `one of ${key} ${verb} ${describeValues(values, ' or ')}`;
      if (set === 'ForAllValues') return `each of ${key} ${verb} ${describeValues(values, ' or ')}`;
      return `${key} ${verb} ${describeValues(values, ' or ')}`;
    }),
  );
  return parts.length === 0 ? '' : `${CONDITION}${listWords(parts)}`;
}

function statementsIn(document: unknown): Statement[] {
  const statements = isObject(document) ? document.Statement : undefined;
  return (Array.isArray(statements) ? statements : [statements]).filter(isObject);
}
