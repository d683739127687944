/** Shows the changes of a stack before they are made, and asks for consent. */
import { CcwbError } from '../../../protocol/errors.ts';
import type { ResourceChange } from '../../aws/cloudformation-types.ts';
import type { AdminEdges } from '../../edges.ts';
import { confirm } from '../../terminal/confirm.ts';
import { paragraph } from '../../terminal/text.ts';
import type { Deployment, PreparedStack } from '../deployment.ts';
import { changeLines, dangersIn, type TemplateVersions } from './describe-changes.ts';
import { permissionLines } from './describe-permissions.ts';

export function showChanges(
  name: string,
  { kind }: PreparedStack,
  changes: readonly ResourceChange[],
  versions: TemplateVersions,
  edges: AdminEdges,
): void {
  const iam = permissionLines(versions, edges.columns);
  if (kind === 'UPDATE' && versions.old === undefined) {
    const text = `the template of ${name} as it is deployed cannot be read: all that the new one grants is listed`;
    edges.writeError(paragraph(text, edges.columns));
  }
  const none = '  nothing but outputs, descriptions or metadata\n';
  edges.writeError(`\n${name} will be ${kind === 'CREATE' ? 'created' : 'updated'}:\n`);
  edges.writeError(changes.length === 0 ? none : changeLines(changes, versions, edges.columns));
  edges.writeError(iam === '' ? 'Who may do what stays as it is.\n' : `Who may do what:\n${iam}`);
}

/**
 * Asks for consent, and first about changes that replace or remove what is in use.
 *
 * @throws CcwbError ERR_REPLACEMENT, ERR_DECLINED, ERR_USAGE.
 */
export async function confirmChanges(
  name: string,
  kind: PreparedStack['kind'],
  changes: readonly ResourceChange[],
  versions: TemplateVersions,
  { edges, options }: Deployment,
): Promise<void> {
  const dangers = dangersIn(changes, versions);
  if (dangers.length > 0) {
    edges.writeError(`\nATTENTION, this takes away what is in use:\n`);
    for (const { text } of dangers) edges.writeError(paragraph(text, edges.columns, '  ! '));
    if (!options.allowReplacement && edges.ask === undefined) {
      throw new CcwbError(
        'ERR_REPLACEMENT',
        `${name}: ${dangers.map(({ text }) => text).join('; ')}`,
        'add --allow-replacement if that is meant',
      );
    }
    await confirm('Take it away all the same?', options.allowReplacement, '--allow-replacement', edges);
  }
  await confirm(kind === 'CREATE' ? `Create ${name}?` : `Update ${name}?`, options.yes, '--yes', edges);
}
