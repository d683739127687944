/** Values of a template as a person reads them. */

/** Where a template is deployed: what its pseudo parameters stand for. */
export type Place = { readonly partition: string; readonly account: string; readonly region: string };

/** One value or several. */
export function shown(value: unknown, separator = ', '): string {
  return Array.isArray(value) ? value.map(show).join(separator) : show(value);
}

/** A value as a template writes it, its references by their names. */
export function show(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!isObject(value)) return value === undefined ? '?' : JSON.stringify(value);
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Sub': template, 'Fn::Join': join } = value;
  if (typeof ref === 'string') return ref;
  // An ARN is what one refers to a role or a bucket by: the name alone says it.
  if (Array.isArray(attribute)) return attribute.join('.').replace(/\.Arn$/, '');
  if (typeof attribute === 'string') return attribute.replace(/\.Arn$/, '');
  if (typeof template === 'string') return template;
  if (Array.isArray(join) && Array.isArray(join[1])) return join[1].map(show).join(String(join[0]));
  return JSON.stringify(value);
}

/** The same value with its pseudo parameters filled in. */
export function atPlace(value: unknown, place: Place): unknown {
  if (Array.isArray(value)) return value.map((item) => atPlace(item, place));
  if (!isObject(value)) return value;
  switch (value.Ref) {
    case 'AWS::Partition':
      return place.partition;
    case 'AWS::AccountId':
      return place.account;
    case 'AWS::Region':
      return place.region;
    default:
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, atPlace(inner, place)]));
  }
}

export function truthy(value: unknown): boolean {
  return value === true || value === 'true';
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
