/** AWS's query protocol: parameters in a form, answers in XML. */
import type { AwsError, AwsReply, ServiceRequest } from './aws-service.ts';

export type Xml = { readonly [element: string]: XmlValue | undefined };
/** A list becomes one `member` element for each item. */
export type XmlValue = string | number | boolean | Date | Xml | readonly XmlValue[];

/** Returns the parameters, from the form or, for GET, the query. */
export function parametersOf(request: ServiceRequest): URLSearchParams {
  if (request.method !== 'POST') return request.query;
  const type = request.headers['content-type']?.[0] ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) return new URLSearchParams();
  return new URLSearchParams(Buffer.from(request.body).toString());
}

/** Returns the values of `NAME.member.1`, `NAME.member.2` …, or of one field of each. */
export function membersOf(parameters: URLSearchParams, name: string, field?: string): string[] {
  const found: string[] = [];
  for (let index = 1; ; index += 1) {
    const value = parameters.get(`${name}.member.${index}${field === undefined ? '' : `.${field}`}`);
    if (value === null) return found;
    found.push(value);
  }
}

export function success(namespace: string, operation: string, result: Xml): AwsReply {
  return xmlReply(namespace, 200, `${operation}Response`, {
    [`${operation}Result`]: result,
    ResponseMetadata: { RequestId: crypto.randomUUID() },
  });
}

export function refusal(namespace: string, error: AwsError, requestId: string): AwsReply {
  const type = error.status >= 500 ? 'Receiver' : 'Sender';
  return xmlReply(namespace, error.status, 'ErrorResponse', {
    Error: { Type: type, Code: error.code, Message: error.message },
    RequestId: requestId,
  });
}

function xmlReply(namespace: string, status: number, root: string, content: Xml): AwsReply {
  const body = `<${root} xmlns="${namespace}">${write(content)}</${root}>\n`;
  return { status, contentType: 'text/xml', body };
}

function write(value: XmlValue): string {
  if (Array.isArray(value))
    return value.map((item) => `<member>${write(item as XmlValue)}</member>`).join('');
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object') return escapeXml(String(value));
  return Object.entries(value)
    .map(([name, inner]) => (inner === undefined ? '' : `<${name}>${write(inner as XmlValue)}</${name}>`))
    .join('');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
