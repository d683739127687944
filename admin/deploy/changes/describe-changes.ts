/** The changes of a change set in words, and those that replace or remove what is in use. */
import type { DeploymentTarget, ResourceChange, Template } from '../../aws/cloudformation-types.ts';
import { listWords, paragraph, typeWords } from '../../terminal/text.ts';

/**
 * Resource types whose content is lost with them. The id of an identity pool is in every package, and its
 * identities cannot be created again. The same holds for user pools.
 */
const IRREPLACEABLE = new Set(['AWS::Cognito::IdentityPool', 'AWS::Cognito::UserPool']);

/** A change that replaces or removes what is in use: the resource, and what happens to it. */
export type Danger = { readonly logicalId: string; readonly text: string };

/** The deployed template and the next one, with what is needed to judge the changes between them. */
export type TemplateVersions = {
  /** Undefined when nothing is deployed yet, or the template cannot be read. */
  readonly old: Template | undefined;
  readonly next: Template;
  readonly target: DeploymentTarget;
  /** Outputs whose values are in config.json files. */
  readonly configOutputs: readonly string[];
};

/** Returns a line for each change, wrapped to the width. */
export function changeLines(
  changes: readonly ResourceChange[],
  versions: TemplateVersions,
  columns: number | undefined,
): string {
  return changes
    .map((change) => paragraph(changeWords(change, versions), columns, `  ${sign(change)} `))
    .join('');
}

function sign({ action, replacement }: ResourceChange): string {
  if (action === 'Add' || action === 'Import') return '+';
  if (action === 'Remove') return '-';
  return replacement === 'True' || replacement === 'Conditional' ? '!' : '~';
}

function changeWords(change: ResourceChange, { old }: TemplateVersions): string {
  const what = `${change.logicalId} (${typeWords(change.type)})`;
  const retained = old?.Resources[change.logicalId];
  switch (change.action) {
    case 'Add':
      return `${what} is created`;
    case 'Import':
      return `${what} is taken into the stack`;
    case 'Remove':
      return retained?.DeletionPolicy?.startsWith('Retain') === true
        ? `${what} leaves the stack and stays in the account`
        : `${what} is deleted`;
    default: {
      const properties = change.properties.length > 0 ? `: ${listWords(change.properties)}` : '';
      if (change.replacement === 'True') return `${what} is REPLACED by a new one${properties}`;
      if (change.replacement === 'Conditional') return `${what} changes and MAY BE REPLACED${properties}`;
      return `${what} changes${properties}`;
    }
  }
}

/**
 * Returns the changes that remove something in use: identity pools, resources marked to be retained, and
 * resources that config.json files name.
 */
export function dangersIn(changes: readonly ResourceChange[], versions: TemplateVersions): Danger[] {
  const named = new Set(
    versions.configOutputs.flatMap((key) => [...referencesIn(versions.old?.Outputs?.[key]?.Value)]),
  );
  return changes.flatMap((change) => {
    const { logicalId, type } = change;
    const resource = versions.old?.Resources[logicalId];
    const replaced = change.replacement === 'True' || change.replacement === 'Conditional';
    const removed = change.action === 'Remove';
    if (!replaced && !removed) return [];
    const happens = removed
      ? 'is removed'
      : change.replacement === 'True'
        ? 'is replaced'
        : 'may be replaced';
    const text = (why: string) => [
      { logicalId, text: `${logicalId} (${typeWords(type)}) ${happens}: ${why}` },
    ];
    if (IRREPLACEABLE.has(type))
      return text('everybody who uses it needs a new config.json and signs in anew');
    if (named.has(logicalId)) return text('config.json files in use name it and would stop working');
    const keeps =
      resource?.DeletionPolicy?.startsWith('Retain') || resource?.UpdateReplacePolicy === 'Retain';
    if (replaced && keeps) return text('the new one is empty; what is in the old one stays there, unused');
    return [];
  });
}

/** Logical ids that a value in a template refers to. */
export function referencesIn(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) referencesIn(item, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'Ref' && typeof inner === 'string') found.add(inner);
      else if (key === 'Fn::GetAtt')
        found.add(String(Array.isArray(inner) ? inner[0] : inner).split('.')[0] ?? '');
      else referencesIn(inner, found);
    }
  }
  return found;
}

/** Returns the change set of a new stack, computed from its template, for a stack CloudFormation cannot plan yet. */
export function allCreated({ Resources }: Template): ResourceChange[] {
  return Object.entries(Resources).map(([logicalId, { Type }]) => ({
    action: 'Add',
    logicalId,
    type: Type,
    physicalId: undefined,
    replacement: undefined,
    properties: [],
  }));
}
